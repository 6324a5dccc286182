/// A server and its client on node1, in one namespace.
package let webAndClient = """
  apiVersion: v1
  kind: Pod
  metadata: {namespace: app, name: web, labels: {app: web}}
  spec: {nodeName: node1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
  ---
  apiVersion: v1
  kind: Pod
  metadata: {namespace: app, name: client, labels: {app: client}}
  spec: {nodeName: node1, containers: [{name: c}]}
  ---

  """

/// Another server, on node2: its port has the same name and another number.
package let secondWeb = """
  apiVersion: v1
  kind: Pod
  metadata: {namespace: app, name: web2, labels: {app: web}}
  spec: {nodeName: node2, containers: [{name: c, ports: [{name: http, containerPort: 8081}]}]}
  ---

  """
