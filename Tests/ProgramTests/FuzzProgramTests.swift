import Foundation
import Kernel
import Lowering
import NetpolModel
import TestSupport
import Testing

extension Slow {
  @Suite("netpol-lab fuzz", .serialized) struct FuzzProgramTests {
    @Test("fuzz without packets exits with 0, and with 2 for options that it can't use")
    func program() async throws {
      let result = try await Program.run(["fuzz", "--no-kernel", "--seed", "7", "--cases", "2", "--flows", "30"])
      let clusters = "2 clusters in \(2 * EnforcementStyle.all.count) cases"
      #expect(result.status == .exited(0) && result.output.hasPrefix(clusters), "\(result.errors)")
      for wrong in [
        ["--cases", "0"], ["--steps", "0"], ["--mutants", "0"], ["--style", "ipvs"], ["--time", "soon"],
        ["--flows", "0"], ["--replay", "nowhere.yaml"], ["--mutants", "5", "--cases", "3"],
        ["--live", "--mutants", "5"],
      ] {
        let refused = try await Program.run(["fuzz", "--no-kernel"] + wrong)
        #expect(
          refused.status == .exited(2) && refused.errors.contains(wrong[0].hasPrefix("--replay") ? wrong[1] : wrong[0]))
        #expect(refused.output.isEmpty && refused.errors.filter { $0 == "\n" }.count == 1, "\(refused.errors)")
      }
    }

    @Test("fuzz prints the same as JSON")
    func json() async throws {
      let result = try await Program.run(
        ["fuzz", "--no-kernel", "--cases", "2", "--flows", "30", "-o", "json"])
      let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
      #expect(object["schema"] as? String == "netpol-lab/fuzz/v1" && object["clusters"] as? Int == 2)
      #expect(object["cases"] as? Int == 2 * EnforcementStyle.all.count && (object["flows"] as? Int ?? 0) > 60)
      #expect(object["packets"] as? Int == 0 && object["deviations"] is [String: Int])
      #expect((object["findings"] as? [Any])?.isEmpty == true && result.status == .exited(0))
    }

    @Test("fuzz exits with 1 if it finds a mistake, and prints a manifest that shows it")
    func finding() async throws {
      let result = try await Program.run(
        ["fuzz", "--no-kernel", "--plant", "1", "--seed", "0", "--cases", "8", "--flows", "60", "--style", "compiled"])
      #expect(result.status == .exited(1), "\(result.errors)")
      #expect(result.output.contains("style compiled with a mistake: ") && result.output.contains("\nkind: Cluster\n"))
      let few = try await Program.run(["fuzz", "--mutants", "5", "--cases", "4", "--flows", "1"])
      #expect(few.status == .exited(1) && few.output.contains("of 5 mutants"))
      #expect(few.output.contains("unnoticed by sampled packets, "))
      let object = try await Program.run(["fuzz", "--mutants", "2", "--cases", "4", "--flows", "1", "-o", "json"])
        .output
      #expect(object.contains("\"schema\":\"netpol-lab/mutants/v1\"") && object.contains("\"mistakes\":2"))
    }

    @Test("fuzz exits with 3 if there is no lab", .needsNamespaces)
    func machine() async throws {
      let shell = "echo 0 > /proc/sys/user/max_net_namespaces && exec \"$0\" fuzz --cases 1"
      let result = try await Program.start(["unshare", "-Ur", "sh", "-c", shell, Program.path])
      #expect(result.ending == .exited(3))
    }

    @Test("fuzz prints its summary when it is interrupted")
    func interrupted() async throws {
      let result = try await Program.start(
        [
          "timeout", "--preserve-status", "--signal=INT", "5", Program.path, "fuzz", "--no-kernel", "--flows", "10",
          "--cases", "1000000",
        ])
      #expect(result.ending == .exited(0) && result.text.contains(" clusters in "))
    }

    @Test(
      "fuzz --input ends with 1 and the text's number if a reader traps or never ends",
      arguments: ["SEGV", "ILL", "ALRM"])
    func trap(signal: String) async throws {
      let result = try await Program.start([
        "timeout", "--preserve-status", "--signal=\(signal)", "8", Program.path, "fuzz", "--input", "--cases",
        "1000000",
        "--seed", "5",
      ])
      #expect(result.ending == .exited(1) && result.stdout.isEmpty)
      let errors = String(decoding: result.stderr, as: UTF8.self)
      let number = try #require(errors.firstMatch(of: /(?:trap while|still) reading text (\d+); the same --seed/))
        .output.1
      #expect(try #require(Int(number)) > 0)
    }

    @Test(
      "fuzz ends with a report after its time, whatever it does",
      arguments: [["--live", "--steps", "1000"], ["--mutants", "100000"], []])
    func timeLimit(kind: [String]) async throws {
      let result = try await Program.run(
        ["fuzz", "--no-kernel", "--cases", "100000", "--time", "1s", "-o", "json"] + kind)
      #expect(result.status == .exited(0), "\(result.errors)")
      let report = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
      #expect((report?["clusters"] as? Int ?? report?["worlds"] as? Int ?? 100_000) < 100_000, "\(result.output)")
    }

    @Test("fuzz --input reads no text after its time, and says how many it has read")
    func time() async throws {
      let result = try await Program.run(["fuzz", "--input", "--cases", "1000000", "--time", "6s", "-o", "json"])
      #expect(result.status == .exited(0), "\(result.errors)")
      let report = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
      let (accepted, refused) = (report?["accepted"] as? Int ?? 0, report?["refused"] as? Int ?? 0)
      #expect(accepted > 0 && refused > 0 && accepted + refused < 1_000_000)
      #expect((report?["slowest"] as? Int ?? -1) >= 0 && (report?["slowestSeconds"] as? Double ?? 0) > 0)
    }

    @Test("fuzz --live keeps states that fail again with fuzz --replay, and pass without the mistake")
    func replay() async throws {
      let directory = FileManager.default.temporaryDirectory.appendingPathComponent("live-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: directory) }
      let quiet = ["--no-kernel", "--flows", "10", "--style", "compiled"]
      let found = try await Program.run(
        ["fuzz", "--live", "--plant", "1", "--seed", "0", "--cases", "4", "--keep", directory.path] + quiet)
      #expect(found.status == .exited(1) && found.output.contains("\n...\n"), "\(found.errors)")
      let kept = try #require(try FileManager.default.contentsOfDirectory(atPath: directory.path).min())
      let file = directory.appendingPathComponent(kept).path
      let again = try await Program.run(["fuzz", "--replay", file, "--plant", "1"] + quiet)
      #expect(again.status == .exited(1) && again.output.contains("change 1: changedOtherwise: "), "\(again.errors)")
      let right = try await Program.run(["fuzz", "--replay", file] + quiet)
      #expect(right.status == .exited(0), "\(right.output)\(right.errors)")
      guard canRunLab else { return }
      let packets = ["--replay", file, "--flows", "10", "--style", "compiled"]
      let mistaken = try await Program.run(["fuzz", "--plant", "1"] + packets)
      #expect(
        mistaken.status == .exited(1) && mistaken.output.contains("changedOtherwise: node "), "\(mistaken.errors)")
      let correct = try await Program.run(["fuzz"] + packets)
      #expect(correct.status == .exited(0), "\(correct.output)\(correct.errors)")
    }
  }
}
