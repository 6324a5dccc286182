/// A value and the field that states it.
struct Stated<Value> {
  let value: Value
  let field: Field
  init(_ value: Value, _ field: Field) {
    self.value = value
    self.field = field
  }
}
