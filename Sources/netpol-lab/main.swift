ProgramExit.run()
