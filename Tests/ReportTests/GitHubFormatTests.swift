// Not covered: what a runner shows of them.
import NetpolModel
import Testing

@testable import Documents

@Suite("Annotations of a GitHub workflow") struct GitHubFormatTests {
  @Test("errors come first, and what passed or was left out is not there") func order() {
    let text = DocumentGitHub(ResultsByHand.document(ResultsByHand.all)).text
    #expect(
      text == """
        ::error file=shop.yaml,line=12,title=NPL-802 shop/bad::mend it
        ::warning file=shop.yaml,line=12,title=NPL-802 shop/odd::mend it
        ::notice file=shop.yaml,line=12,title=NPL-802 shop/noted::mend it

        """)
    #expect(DocumentGitHub(ResultsByHand.document([])).text.isEmpty)
  }

  @Test("the input's text stays in its line and in its property") func escapes() {
    let hostile = ResultsByHand.hostile
    let file = SourceLocation(file: "a,b:c%.yaml", line: 3)
    let text = DocumentGitHub(ResultsByHand.document([ResultsByHand.found(.error, hostile, hostile, at: file)])).text
    #expect(text.hasSuffix("\n") && text.dropLast().allSatisfy { $0 != "\n" && $0 != "\r" && $0 != "\r\n" })
    #expect(
      text.hasPrefix(
        #"::error file=a%2Cb%3Ac%25.yaml,line=3,title=NPL-802 a%2Cb%3Ac%25d\r%0A%3A%3Aerror%3A%3Ax <b attr='1' other="2">"#
      ), "\(text)")
    #expect(text.contains(#"::a,b:c%25d\r%0A::error::x <b attr='1' other="2">&]]>\x1b[31m\u202e\x00"#), "\(text)")
  }

  @Test("what has no place of its own gets the first file, and standard input none") func places() {
    let none = ResultsByHand.document([
      ResultsByHand.found(.error, at: nil), ResultsByHand.found(.error, at: SourceLocation(file: "-", line: 4)),
    ])
    #expect(
      DocumentGitHub(none).text == """
        ::error title=NPL-802 shop/db::mend it
        ::error title=NPL-802 shop/db::mend it

        """)
    #expect(
      DocumentGitHub(none, FilePlaces(root: "/home/me", file: "/home/me/./a.yaml")).text.hasPrefix(
        "::error file=a.yaml,line=1,title"))
  }

  @Test(
    "a path is relative to where the program runs, if it is below",
    arguments: [
      ("/home/me/a/b.yaml", "a/b.yaml"), ("./b.yaml", "b.yaml"), (".//./b.yaml", "b.yaml"),
      ("/home/mean/b.yaml", "/home/mean/b.yaml"), ("../b.yaml", "../b.yaml"),
    ])
  func relative(file: String, path: String) {
    let place = FilePlaces(root: "/home/me").place(of: SourceLocation(file: file, line: 7))
    #expect(place?.path == path && place?.line == 7)
  }
}
