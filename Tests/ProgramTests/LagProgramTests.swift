import Foundation
import Kernel
import NetpolModel
import TestSupport
import Testing

extension Alone {
  @Suite("netpol-lab lag") struct LagProgramTests {
    @Test(
      "an option that can't be used gives one line and exit code 2",
      arguments: [
        (["--policies", "-1"], "--policies"), (["--pods", "0"], "'0' is invalid for '--pods <1-20000>'"),
        (["--local", "500"], "--local 500: write a number from 1 to 200"),
        (["--trials", "0"], "'0' is invalid for '--trials <1-100000>'"), (["--burst", "51"], "'--burst <1-50>'"),
        (["--spacing", "50"], "'50' is invalid for '--spacing <20us-10ms>'"), (["--spacing", "1us"], "'--spacing"),
        (["--api-delay", "2s..1s"], "'2s..1s' is invalid"), (["--api-delay", "~x"], "'~x' is invalid"),
        (["--api-delay", "100ms.."], "'100ms..' is invalid"), (["--api-delay", "61s"], "'61s' is invalid"),
        (["--max-gap", "soon"], "'soon' is invalid for '--max-gap <1us-1h>'"),
        (["--scenario", "old-pod"], "Please provide one of 'new-pod', 'relabelled' or 'reused-address'"),
        (["--agent", "none"], "Please provide one of 'full-sync' and 'incremental'"),
        (["--default-deny"], "--default-deny"), (["--newcomer", "a/b"], "--newcomer needs -f"),
        (["--churn", "1001"], "'--churn <0-1000>'"), (["--requests", "99"], "'--requests <0-50>'"),
        (["-f", "-"], "-f needs --newcomer"), (["-f", "-", "--burst", "2"], "--burst can't be combined with -f"),
        (["-f", "-", "--newcomer", "app/none"], "--newcomer app/none"),
        (["-f", "-", "--newcomer", "app/host"], "Pod app/host"),
      ])
    func badInput(_ arguments: [String], _ said: String) async throws {
      let world = """
        {apiVersion: v1, kind: Pod, metadata: {namespace: app, name: host}, spec: {hostNetwork: true, nodeName: node1, containers: [{name: c}]}}
        """
      let result = try await Program.run(["lag"] + arguments, input: world)
      #expect(result.status == .exited(2), "\(result)")
      #expect(result.errors.contains(said), "\(result.errors)")
      #expect(result.output.isEmpty)
    }

    @Test(
      "with --max-gap, a window that is too long gives exit code 1", .needsNamespaces,
      arguments: [("1us", 1, "FAILED"), ("1000s", 0, "Within --max-gap")])
    func gate(_ gap: String, _ status: Int32, _ said: String) async throws {
      let result = try await Program.run([
        "lag", "--spacing", "1ms", "--policies", "1", "--pods", "4", "--local", "3", "--trials", "2", "--requests", "0",
        "--max-gap", gap,
      ])
      #expect(result.status == .exited(status), "\(result)")
      #expect(result.output.contains(said), "\(result.output)")
    }

    @Test(
      "a user's pod can be the new pod, and if nothing about it changes the program says so",
      .needsNamespaces)
    func usersWorld() async throws {
      let example = repository.appendingPathComponent("examples/homelab-podselector").path
      let known = try await Program.run([
        "lag", "--spacing", "1ms", "-f", example, "--newcomer", "cardboard/web-0", "--trials", "2", "--requests", "0",
      ])
      #expect(known.status == .exited(0) && known.output.contains("podSelector of"), "\(known)")
      let pod =
        "{apiVersion: v1, kind: Pod, metadata: {namespace: app, name: a}, spec: {nodeName: node1, containers: [{name: c}]}}"
      let nothing = try await Program.run(["lag", "-f", "-", "--newcomer", "app/a"], input: pod)
      #expect(nothing.status == .exited(2) && nothing.errors.contains("no UDP or TCP flow"), "\(nothing)")
    }

    @Test("a lag run's windows are test cases", .needsNamespaces)
    func lag() async throws {
      let arguments = [
        "lag", "--policies", "2", "--pods", "6", "--trials", "1", "--requests", "0", "--max-gap", "1us", "-o", "junit",
      ]
      let result = try await Program.run(arguments)
      #expect(result.status == .exited(1), "\(result)")
      #expect(result.output.contains(#"type="window-too-long""#), "\(result.output)")
      #expect(try await Program.run(arguments + ["--fail-on", "never"]).status == .exited(0))
    }
  }
}
