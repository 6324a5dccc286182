internal import Foundation
package import Testing

/// Schemas for SARIF 2.1.0 logs.
package enum SARIFSchema {
  /// The one that OASIS publishes: the file in NETPOL_SARIF_SCHEMA, or `../shared/sarif/sarif-schema-2.1.0.json`.
  package static let published: JSONSchema? = {
    let beside = repository.appendingPathComponent("../shared/sarif/sarif-schema-2.1.0.json").standardized
    let files = named(by: "NETPOL_SARIF_SCHEMA") + [beside]
    return files.lazy.compactMap { try? String(contentsOf: $0, encoding: .utf8) }.first.flatMap(JSONSchema.init)
  }()

  package static let absent: Comment = "no SARIF schema in $NETPOL_SARIF_SCHEMA or ../shared/sarif"

  /// What the program writes, by the sections of the standard: nothing else, and everything that GitHub needs besides.
  package static let own = JSONSchema(
    #"""
    {
      "type": "object", "required": ["$schema", "version", "runs"], "additionalProperties": false,
      "properties": {
        "$schema": {"type": "string"}, "version": {"enum": ["2.1.0"]},
        "runs": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/run"}}
      },
      "definitions": {
        "run": {
          "type": "object", "required": ["tool", "results"], "additionalProperties": false,
          "properties": {
            "tool": {"$ref": "#/definitions/tool"}, "automationDetails": {"$ref": "#/definitions/automation"},
            "invocations": {"type": "array", "items": {"$ref": "#/definitions/invocation"}},
            "results": {"type": "array", "items": {"$ref": "#/definitions/result"}}
          }
        },
        "automation": {
          "type": "object", "required": ["id"], "additionalProperties": false,
          "properties": {"id": {"type": "string", "pattern": "^netpol-lab/[a-z]+/$"}}
        },
        "tool": {
          "type": "object", "required": ["driver"], "additionalProperties": false,
          "properties": {"driver": {"$ref": "#/definitions/driver"}}
        },
        "driver": {
          "type": "object", "required": ["name", "version", "rules"], "additionalProperties": false,
          "properties": {
            "name": {"enum": ["netpol-lab"]}, "version": {"type": "string"},
            "rules": {"type": "array", "uniqueItems": true, "items": {"$ref": "#/definitions/rule"}}
          }
        },
        "rule": {
          "type": "object", "additionalProperties": false,
          "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
          "properties": {
            "id": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+-]*$"},
            "shortDescription": {"$ref": "#/definitions/text"}, "fullDescription": {"$ref": "#/definitions/text"},
            "help": {"$ref": "#/definitions/text"},
            "defaultConfiguration": {
              "type": "object", "required": ["level"], "additionalProperties": false,
              "properties": {"level": {"$ref": "#/definitions/level"}}
            }
          }
        },
        "invocation": {
          "type": "object", "required": ["executionSuccessful"], "additionalProperties": false,
          "properties": {
            "executionSuccessful": {"type": "boolean"},
            "toolExecutionNotifications": {"type": "array", "items": {
              "type": "object", "required": ["message", "level"], "additionalProperties": false,
              "properties": {"message": {"$ref": "#/definitions/text"}, "level": {"$ref": "#/definitions/level"}}
            }}
          }
        },
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}:[1-9][0-9]*$"},
        "level": {"enum": ["error", "warning", "note"]},
        "text": {
          "type": "object", "required": ["text"], "additionalProperties": false,
          "properties": {"text": {"type": "string", "pattern": "."}}
        },
        "result": {
          "type": "object", "additionalProperties": false,
          "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
          "properties": {
            "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": 0},
            "level": {"$ref": "#/definitions/level"}, "message": {"$ref": "#/definitions/text"},
            "locations": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/location"}},
            "partialFingerprints": {
              "type": "object", "required": ["netpolLab/v1", "primaryLocationLineHash"], "additionalProperties": false,
              "properties": {
                "netpolLab/v1": {"$ref": "#/definitions/fingerprint"},
                "primaryLocationLineHash": {"$ref": "#/definitions/fingerprint"}
              }
            },
            "codeFlows": {"type": "array", "minItems": 1, "items": {
              "type": "object", "required": ["threadFlows"], "additionalProperties": false,
              "properties": {"threadFlows": {"type": "array", "minItems": 1, "items": {
                "type": "object", "required": ["locations"], "additionalProperties": false,
                "properties": {"locations": {"type": "array", "minItems": 1, "items": {
                  "type": "object", "required": ["location", "nestingLevel"], "additionalProperties": false,
                  "properties": {
                    "location": {"$ref": "#/definitions/location"}, "nestingLevel": {"type": "integer", "minimum": 0}
                  }
                }}}
              }}}
            }}
          }
        },
        "location": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "message": {"$ref": "#/definitions/text"},
            "physicalLocation": {
              "type": "object", "required": ["artifactLocation", "region"], "additionalProperties": false,
              "properties": {
                "artifactLocation": {
                  "type": "object", "required": ["uri"], "additionalProperties": false,
                  "properties": {
                    "uri": {"type": "string", "pattern": "^(file://)?[A-Za-z0-9%._~/-]+$"},
                    "uriBaseId": {"enum": ["%SRCROOT%"]}
                  }
                },
                "region": {
                  "type": "object", "required": ["startLine", "startColumn", "endLine"], "additionalProperties": false,
                  "properties": {
                    "startLine": {"type": "integer", "minimum": 1}, "startColumn": {"enum": [1]},
                    "endLine": {"type": "integer", "minimum": 1}
                  }
                }
              }
            },
            "logicalLocations": {"type": "array", "minItems": 1, "items": {
              "type": "object", "required": ["fullyQualifiedName", "kind"], "additionalProperties": false,
              "properties": {"fullyQualifiedName": {"type": "string"}, "kind": {"enum": ["resource"]}}
            }}
          }
        }
      }
    }
    """#)
}
