package org.diffusionrpo.diffusion.clip;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Tape;

/** Runs the frozen text encoder of a model over prompts, in batches. It borrows the network and does not close it. */
public final class PromptEncoder {
  /** Prompts at once. */
  private static final int BATCH = 32;

  private final Backend backend;
  private final ClipTextModel text;
  private final ClipTokenizer tokenizer;

  public PromptEncoder(Backend backend, ClipTextModel text, ClipTokenizer tokenizer) {
    this.backend = backend;
    this.text = text;
    this.tokenizer = tokenizer;
  }

  /** Embedding of each different prompt. */
  public Map<String, TextEmbedding> encode(Collection<String> prompts) {
    List<String> unique = List.copyOf(new LinkedHashSet<>(prompts));
    Map<String, TextEmbedding> embeddings = new HashMap<>();
    for (int from = 0; from < unique.size(); from += BATCH) {
      List<String> batch = unique.subList(from, Math.min(unique.size(), from + BATCH));
      List<TextEmbedding> encoded = encodeBatch(batch);
      for (int i = 0; i < batch.size(); i++) {
        embeddings.put(batch.get(i), encoded.get(i));
      }
    }
    return embeddings;
  }

  /** Embedding of one prompt. */
  public TextEmbedding encode(String prompt) {
    return encode(List.of(prompt)).get(prompt);
  }

  private List<TextEmbedding> encodeBatch(List<String> prompts) {
    try (MemoryScope scope = backend.scope()) {
      Tensor hidden = text.forward(backend, tokenizer.encodeBatch(prompts), prompts.size(), Tape.NONE);
      return rows(hidden).stream().map(TextEmbedding::new).toList();
    }
  }

  /** [L, X] of one prompt. */
  public Shape contextShape() {
    return Shape.of(tokenizer.maxLength(), text.config().tower().hiddenSize());
  }

  /** E of the pooled embedding; 0 for a model without one. */
  public int pooledSize() {
    return 0;
  }

  /** Tokens that are read of a prompt. */
  public int maxLength() {
    return tokenizer.maxLength();
  }

  /** Whether the end of a prompt is cut off. */
  public boolean truncates(String prompt) {
    return tokenizer.encode(prompt).truncated();
  }

  private static List<float[]> rows(Tensor batch) {
    float[] values = batch.toArray();
    int size = values.length / batch.dim(0);
    List<float[]> rows = new ArrayList<>();
    for (int n = 0; n < batch.dim(0); n++) {
      rows.add(Arrays.copyOfRange(values, n * size, (n + 1) * size));
    }
    return rows;
  }
}
