package org.diffusionrpo.rpo.train;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.data.ContentKey;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.Component;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/** What the output of a frozen encoder depends on, as one checksum: config, weights in memory, tokenizer. */
public final class EncoderChecksums {
  private EncoderChecksums() {}

  static String vae(StableDiffusion model) {
    return of(config(model.vae()), weights(model.vae().value().parameters()));
  }

  /** Of all that makes a caption's embedding. */
  static String text(StableDiffusion model) {
    ContentKey first = ContentKey.of(config(model.textEncoder()), weights(model.textEncoder().value().parameters()),
        tokenizer(model.tokenizer()));
    if (!model.isXl()) {
      return first.hex();
    }
    return of(first, config(model.textEncoder2()), weights(model.textEncoder2().value().parameters()),
        tokenizer(model.tokenizer2()), ContentKey.of("empty prompt " + model.index().json().path(
            "force_zeros_for_empty_prompt")));
  }

  /** Of both towers. */
  public static String clip(Clip clip) {
    return of(config(clip.model()), weights(clip.parameters()), tokenizer(clip.tokenizer()));
  }

  private static String of(ContentKey... parts) {
    return ContentKey.of(parts).hex();
  }

  private static ContentKey config(Component<?> component) {
    return ContentKey.of(component.config().json().toString());
  }

  private static ContentKey tokenizer(ClipTokenizer tokenizer) {
    return ContentKey.of(tokenizer.vocabulary().merges() + " " + tokenizer.maxLength() + " " + tokenizer.bosId() + " "
        + tokenizer.eosId() + " " + tokenizer.padId());
  }

  private static ContentKey weights(Parameters parameters) {
    List<ContentKey> parts = new ArrayList<>();
    for (Parameter parameter : parameters.all()) {
      float[] values = parameter.value().toArray();
      ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES));
      bytes.asFloatBuffer().put(values);
      parts.add(ContentKey.of(parameter.name() + " " + parameter.shape()));
      parts.add(ContentKey.of(bytes.array()));
    }
    return ContentKey.of(parts.toArray(ContentKey[]::new));
  }
}
