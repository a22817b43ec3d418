package org.diffusionrpo.diffusion.clip;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Replaces HTML character references by their characters, by the rules of HTML5 (section 13.2.5.72 and following of
 * the living standard): the semicolon of a numeric reference and of the Latin-1 names may be missing, a name may then
 * run on into other letters ({@code &copy2024}), and numbers 128 .. 159 mean windows-1252.
 *
 * <p>Known names are the 252 of HTML 4 with HTML5's values, and {@code &apos;}. The other 1,900 names of HTML5,
 * nearly all of them mathematical symbols, stay as they are.
 */
final class HtmlEntities {
  /** Groups: decimal number, hexadecimal number, name. */
  private static final Pattern REFERENCE =
      Pattern.compile("&(?:#([0-9]+);?|#[xX]([0-9a-fA-F]+);?|([^\\t\\n\\f <&#;]{1,32};?))");

  /** Names that need no semicolon: U+00A0 .. U+00FF in order. */
  private static final String LATIN_1 = """
      nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3
      acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde
      Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc
      Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml
      aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc
      otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml""";

  /** Names that need their semicolon: a code point, then the names of it and of its successors. */
  private static final String OTHERS = """
      0027 apos 0152 OElig oelig 0160 Scaron scaron 0178 Yuml 0192 fnof 02c6 circ 02dc tilde
      0391 Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho
      03a3 Sigma Tau Upsilon Phi Chi Psi Omega
      03b1 alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf
      03c3 sigma tau upsilon phi chi psi omega 03d1 thetasym upsih 03d6 piv
      2002 ensp emsp 2009 thinsp 200c zwnj zwj lrm rlm 2013 ndash mdash 2018 lsquo rsquo sbquo
      201c ldquo rdquo bdquo 2020 dagger Dagger bull 2026 hellip 2030 permil 2032 prime Prime
      2039 lsaquo rsaquo 203e oline 2044 frasl 20ac euro
      2111 image 2118 weierp 211c real 2122 trade 2135 alefsym
      2190 larr uarr rarr darr harr 21b5 crarr 21d0 lArr uArr rArr dArr hArr
      2200 forall 2202 part exist 2205 empty 2207 nabla isin notin 220b ni 220f prod 2211 sum minus
      2217 lowast 221a radic 221d prop infin 2220 ang 2227 and or cap cup int 2234 there4
      223c sim 2245 cong 2248 asymp 2260 ne equiv 2264 le ge 2282 sub sup nsub 2286 sube supe
      2295 oplus 2297 otimes 22a5 perp 22c5 sdot 2308 lceil rceil lfloor rfloor
      25ca loz 2660 spades 2663 clubs 2665 hearts diams 27e8 lang rang""";

  /** Characters 0x80 .. 0x9F of windows-1252; the five it leaves undefined keep their number. */
  private static final String WINDOWS_1252 = "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039"
      + "\u0152\u008d\u017d\u008f\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d"
      + "\u017e\u0178";

  /** Names to characters; a name that needs its semicolon is stored with it. */
  private static final Map<String, String> NAMED = named();

  private HtmlEntities() {}

  static String unescape(String text) {
    if (text.indexOf('&') < 0) {
      return text;
    }
    return REFERENCE.matcher(text).replaceAll(match -> Matcher.quoteReplacement(character(match)));
  }

  private static String character(MatchResult reference) {
    if (reference.group(1) != null) {
      return character(reference.group(1), 10);
    }
    return reference.group(2) != null ? character(reference.group(2), 16) : character(reference.group(3));
  }

  private static String character(String name) {
    for (int length = name.length(); length > 1; length--) {
      String value = NAMED.get(name.substring(0, length));
      if (value != null) {
        return value + name.substring(length);
      }
    }
    return "&" + name;
  }

  private static String character(String digits, int radix) {
    String significant = digits.replaceFirst("^0+", "");
    int code = significant.length() > 7 ? Integer.MAX_VALUE : Integer.parseInt("0" + significant, radix);
    if (code >= 0x80 && code <= 0x9F) {
      return WINDOWS_1252.substring(code - 0x80, code - 0x7F);
    }
    if (code == 0 || code > Character.MAX_CODE_POINT || code >= 0xD800 && code <= 0xDFFF) {
      return "\uFFFD";
    }
    return isDropped(code) ? "" : Character.toString(code);
  }

  /** Control characters other than white space, and the code points that Unicode says are never characters. */
  private static boolean isDropped(int code) {
    boolean control = code < ' ' && code != '\t' && code != '\n' && code != '\f' && code != '\r' || code == 0x7F;
    return control || code >= 0xFDD0 && code <= 0xFDEF || (code & 0xFFFE) == 0xFFFE;
  }

  private static Map<String, String> named() {
    Map<String, String> named = new HashMap<>();
    int code = 0xA0;
    for (String name : LATIN_1.split("\\s+")) {
      putBoth(named, name, Character.toString(code++));
    }
    Map.of("amp", "&", "lt", "<", "gt", ">", "quot", "\"", "copy", "\u00a9", "reg", "\u00ae").forEach((name, value) -> {
      putBoth(named, name, value);
      putBoth(named, name.toUpperCase(Locale.ROOT), value);
    });
    for (String word : OTHERS.split("\\s+")) {
      if (word.matches("[0-9a-f]{4}")) {
        code = Integer.parseInt(word, 16);
      } else {
        named.put(word + ";", Character.toString(code++));
      }
    }
    return named;
  }

  private static void putBoth(Map<String, String> named, String name, String value) {
    named.put(name, value);
    named.put(name + ";", value);
  }
}
