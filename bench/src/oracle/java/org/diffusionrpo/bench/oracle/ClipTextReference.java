package org.diffusionrpo.bench.oracle;

import org.diffusionrpo.bench.oracle.TorchClipText.Outputs;

/**
 * Holds {@link TorchClipText} to numbers that OpenAI's own model gave, in float32, for weights by the same rule. The
 * text tower's weights come first in byte order, so the rule gives it the same ones without the vision tower.
 */
final class ClipTextReference {
  private static final long[][] IDS = {
      {62, 5, 9, 17, 63, 0, 0, 0, 0, 0, 0, 0}, {62, 40, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63}};
  /** The numbers have six digits. */
  private static final double TOLERANCE = 1e-5;

  private ClipTextReference() {}

  /** Throws {@link IllegalStateException} if a number differs. */
  static void check() {
    check("quick_gelu", true, 718.298, 764.155, 29.8586);
    check("gelu", false, 720.321, 764.19, 29.9068);
  }

  private static void check(String name, boolean quickGelu, double penultimate, double last, double embeds) {
    Tensors.scoped(() -> {
      ClipTextSettings settings = new ClipTextSettings(32, 128, 2, 4, quickGelu, 64, 12, 16);
      Outputs out = new TorchClipText(settings, ClipTextGoldens.weights(settings, IDS)).forward(IDS);
      Reference reference = new Reference("CLIP text with " + name, TOLERANCE);
      reference.require("squares of hidden_states[-2]", penultimate, Tensors.squares(out.penultimate()));
      reference.require("squares of last_hidden_state", last, Tensors.squares(out.last()));
      reference.require("squares of text_embeds", embeds, Tensors.squares(out.textEmbeds()));
    });
  }
}
