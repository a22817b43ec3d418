package org.diffusionrpo.diffusion.clip;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HtmlEntitiesTest {
  /** Expected values are those of Python's html.unescape, which OpenAI's tokenizer calls. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
      R&B, AT&T & &;                    | R&B, AT&T & &;
      &lt;a&gt; &amp;amp; b             | <a> &amp; b
      &copy2024 &notit; &notin; &AMP    | \u00a92024 \u00acit; \u2209 &
      &#65;&#x42;&#X43 &#150; &#00067;  | ABC \u2013 C
      &#0;&#xD800;&#x110000;&#1;x       | \ufffd\ufffd\ufffdx
      &hearts; &hearts &unknown;        | \u2665 &hearts &unknown;
      &eacute;t&eacute                  | \u00e9t\u00e9
      &euro;5 &apos;hi&apos; &quot;x    | \u20ac5 'hi' "x
      &#99999999999;&#xFFFE;&#x1F642;   | \ufffd\ud83d\ude42
      a&b=c&yen=1&yuml;                 | a&b=c\u00a5=1\u00ff
      &rang;&lang;&sigmaf;&Omega;&piv;  | \u27e9\u27e8\u03c2\u03a9\u03d6
      """)
  void unescapesLikeTheReference(String escaped, String plain) {
    assertEquals(plain, HtmlEntities.unescape(escaped));
  }
}
