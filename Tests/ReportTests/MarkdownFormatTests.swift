// Not covered: what GitHub shows. The rules are those of its specification.
import NetpolModel
import Statistics
import Testing

@testable import Documents

@Suite("Markdown") struct MarkdownFormatTests {
  private func markdown(_ blocks: [Block]) -> String { Document(sections: [Section(blocks)]).markdown }

  @Test("headings, paragraphs and notes") func text() {
    #expect(
      Document(sections: [
        Section([.heading("Flows"), .paragraph("all   fine"), .note("Cause", "no rule")]), Section([]),
        Section([.pieces(["a,", "b"], indent: 2)]),
      ]).markdown == """
        ### Flows

        all fine

        > **Cause:** no rule

        a, b

        """)
  }

  @Test("indented blocks are lists within lists, with their code") func lists() {
    #expect(
      markdown([
        .paragraph("one", first: "  "), .paragraph("two", first: "    rule "), .code("-j DROP", indent: 8),
        .paragraph("three", first: "    "), .paragraph("four", first: "  "), .code("alone"), .code("with another"),
      ]) == """
        - one
          - **rule** two
            ```text
            -j DROP
            ```
          - three
        - four

        ```text
        alone
        with another
        ```

        """)
  }

  @Test("a table has titles, marks and cells; what is below a row is its last cell") func table() {
    let columns = [Table.Column(title: "who"), Table.Column(title: "count")]
    let rows = [
      Table.Row(
        [.text("a|b"), .count(3)], remark: "MISSED", below: [.paragraph("x -> y", first: "   "), .code("a | b")]),
      Table.Row([.text("c"), .count(nil)]),
    ]
    #expect(
      markdown([.table(Table(columns, rows))]) == #"""
        | who | count |  |
        | :-- | --: | :-- |
        | a\|b | 3 | **MISSED**<br>x -&gt; y<br>`a \| b` |
        | c | \- |  |

        """#)
  }

  @Test("a fence is longer than any run of backticks in it") func fences() {
    #expect(markdown([.code(Code(["a ``` b", "```` c"]))]) == "`````text\na ``` b\n```` c\n`````\n")
    #expect("`a`".asMarkdownCode() == "`` `a` ``")
  }

  @Test(
    "text is shown as it is",
    arguments: [
      ("*a* _b_ `c` [d](e) ~f~ g|h", #"\*a\* \_b\_ \`c\` \[d\](e) \~f\~ g\|h"#),
      ("<script>&amp;</script>", "&lt;script&gt;&amp;amp;&lt;/script&gt;"), ("# a", "\\# a"), ("- a", #"\- a"#),
      ("12. a", #"12\. a"#), ("## 1) a-", "\\#\\# 1\\) a-"), ("a - b 1.2", "a - b 1.2"),
      ("@team #12", "@<!-- -->team #<!-- -->12"),
      ("https://x", "https:<!-- -->//x"), ("www.x", "www<!-- -->.x"), ("a.yaml:100: b", "a.yaml:<!-- -->100: b"),
      ("a.yaml:12: b", "a.yaml:12: b"),
      ("\u{1b}[31m", #"\\x1b\[31m"#), ("a\nb", #"a\\nb"#), ("$x$", #"\$x\$"#),
    ])
  func escapes(text: String, markdown: String) {
    #expect(text.asMarkdown == markdown)
  }

  @Test("grids and pictures of characters are code, and what only a picture shows is left out") func code() {
    let bars = Distribution([1e6, 1e6, 5e6])
    #expect(
      markdown([.plot(.bars(bars))])
        == "```text\n" + HistogramText(bars, width: 100).lines.joined(separator: "\n") + "\n```\n")
    #expect(
      markdown([.plot(.lines(LogPlot(title: "t", horizontal: "x", vertical: "y", series: []), name: "cost"))]) == "\n")
  }
}
