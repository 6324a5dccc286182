/// A server and its client on node1, in one namespace.
package let webAndClient =
  podText("app/web", on: "node1", labels: "app: web", ports: ["name: http, containerPort: 8080"])
  + podText("app/client", on: "node1", labels: "app: client")

/// Another server, on node2. Its port has the same name but another number.
package let secondWeb = podText("app/web2", on: "node2", labels: "app: web", ports: ["name: http, containerPort: 8081"])
