// Not covered: which packets a port matches. These tests only check which ports are rejected.
import Manifests
import NetpolModel
import Testing

@Suite struct PolicyPortTests {
  @Test(
    "a port is a number from 1 to 65535 or a name, and a range consists of two numbers",
    arguments: [
      (
        "{ingress: [{ports: [{port: 0}]}]}",
        "spec.ingress[0].ports[0].port: 0 is not a port; give a number from 1 to 65535"
      ),
      (
        "{ingress: [{ports: [{port: -1}]}]}",
        "spec.ingress[0].ports[0].port: -1 is not a port; give a number from 1 to 65535"
      ),
      (
        "{ingress: [{ports: [{port: 65536}]}]}",
        "spec.ingress[0].ports[0].port: 65536 is not a port; give a number from 1 to 65535"
      ),
      (
        "{ingress: [{ports: [{port: 99999999999999999999}]}]}",
        "spec.ingress[0].ports[0].port: expected an integer, found the number 1e+20"
      ),
      (
        "{ingress: [{ports: [{port: 80.5}]}]}",
        "spec.ingress[0].ports[0].port: expected an integer, found the number 80.5"
      ),
      (
        "{ingress: [{ports: [{port: true}]}]}",
        "spec.ingress[0].ports[0].port: expected an integer, found the boolean true"
      ),
      (
        "{ingress: [{ports: [{port: \"80\"}]}]}",
        "spec.ingress[0].ports[0].port: \"80\" in quotes is a port name, and a port name needs a letter; write 80 without quotes"
      ),
      (
        "{ingress: [{ports: [{port: Http}]}]}",
        "spec.ingress[0].ports[0].port: \"Http\" is not a valid port name; use at most 15 of a-z, 0-9 and single inner '-', with at least one letter"
      ),
      (
        "{ingress: [{ports: [{port: a--b}]}]}",
        "spec.ingress[0].ports[0].port: \"a--b\" is not a valid port name; use at most 15 of a-z, 0-9 and single inner '-', with at least one letter"
      ),
      (
        "{ingress: [{ports: [{port: 80, endPort: 79}]}]}",
        "spec.ingress[0].ports[0].endPort: 79 is below port 80; give 80 or more, or swap the two"
      ),
      (
        "{ingress: [{ports: [{port: 80, endPort: 70000}]}]}",
        "spec.ingress[0].ports[0].endPort: 70000 is not a port; give a number from 1 to 65535"
      ),
      (
        "{ingress: [{ports: [{port: http, endPort: 90}]}]}",
        "spec.ingress[0].ports[0].endPort: may not be given with a port's name; give port as a number, or remove endPort"
      ),
      (
        "{ingress: [{ports: [{endPort: 90}]}]}",
        "spec.ingress[0].ports[0].endPort: may not be given without port; give port, the first of the range"
      ),
      (
        "{ingress: [{ports: [{port: 80, endPort: \"90\"}]}]}",
        "spec.ingress[0].ports[0].endPort: expected an integer, found the string \"90\"; write 90 without quotes"
      ),
      (
        "{ingress: [{ports: [{protocol: tcp}]}]}",
        "spec.ingress[0].ports[0].protocol: unknown protocol \"tcp\"; write TCP"
      ),
      (
        "{ingress: [{ports: [{protocol: ICMP}]}]}",
        "spec.ingress[0].ports[0].protocol: unknown protocol \"ICMP\"; write TCP, UDP or SCTP"
      ),
    ])
  func port(_ spec: String, _ line: String) {
    #expect(refusal(policyText(spec)) == "a.yaml:4: NetworkPolicy shop/web: \(line)")
  }
}
