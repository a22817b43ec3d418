package org.diffusionrpo.rpo.report;

import java.util.Base64;

/** The few pieces of HTML that every part of a report needs. */
final class Html {
  private Html() {}

  /** Text made safe for element content and quoted attributes. */
  static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
  }

  /** An image that travels inside the page. */
  static String image(byte[] png, String alternative) {
    return "<img alt=\"" + escape(alternative) + "\" src=\"data:image/png;base64,"
        + Base64.getEncoder().encodeToString(png) + "\">";
  }
}
