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

/**
 * Runs the frozen text encoders of a model over prompts, in batches. It borrows the networks and closes none of them.
 * <pre>
 *   one encoder:    context = its last hidden state
 *   two, as SDXL:   context = [penultimate hidden state of the first, of the second], without final norm
 *                   pooled = text embeds of the second
 * </pre>
 * Podell et al. 2023, arXiv:2307.01952, section 2.1; diffusers' {@code encode_prompt}.
 */
public final class PromptEncoder {
  /** Prompts at once. */
  private static final int BATCH = 32;

  private final Backend backend;
  private final Tower first;
  private final Tower second;
  private final boolean zeroEmptyNegative;

  /** A text encoder with the tokenizer that belongs to it. */
  public record Tower(ClipTextModel model, ClipTokenizer tokenizer) {
    private int width() {
      return model.config().tower().hiddenSize();
    }
  }

  /** Of a model with one text encoder. */
  public PromptEncoder(Backend backend, ClipTextModel text, ClipTokenizer tokenizer) {
    this(backend, new Tower(text, tokenizer), null, false);
  }

  /**
   * @param second null for a model with one text encoder; both tokenizers give prompts of one length
   * @param zeroEmptyNegative {@code force_zeros_for_empty_prompt} of the model's index
   */
  public PromptEncoder(Backend backend, Tower first, Tower second, boolean zeroEmptyNegative) {
    this.backend = backend;
    this.first = first;
    this.second = second;
    this.zeroEmptyNegative = zeroEmptyNegative;
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

  /** What guidance leads away from: the prompt as it was encoded, or zeros for none where the model wants them. */
  public TextEmbedding negative(String prompt, Map<String, TextEmbedding> encoded) {
    return zeroEmptyNegative && prompt.isEmpty()
        ? new TextEmbedding(new float[contextShape().size()], second == null ? null : new float[pooledSize()])
        : encoded.get(prompt);
  }

  /** [L, X] of one prompt. */
  public Shape contextShape() {
    return Shape.of(maxLength(), first.width() + (second == null ? 0 : second.width()));
  }

  /** E of the pooled embedding; 0 for a model with one text encoder. */
  public int pooledSize() {
    return second == null ? 0 : second.model.config().projectionDim();
  }

  /** Tokens that are read of a prompt. */
  public int maxLength() {
    return first.tokenizer.maxLength();
  }

  /** Whether the end of a prompt is cut off. */
  public boolean truncates(String prompt) {
    return first.tokenizer.encode(prompt).truncated()
        || second != null && second.tokenizer.encode(prompt).truncated();
  }

  private List<TextEmbedding> encodeBatch(List<String> prompts) {
    int samples = prompts.size();
    int[] ids = first.tokenizer.encodeBatch(prompts);
    try (MemoryScope scope = backend.scope()) {
      if (second == null) {
        return rows(first.model.forward(backend, ids, samples, Tape.NONE)).stream().map(TextEmbedding::new).toList();
      }
      int[] secondIds = second.tokenizer.encodeBatch(prompts);
      Tensor left = first.model.hiddenState(backend, ids, samples, 1);
      Tensor right = second.model.hiddenState(backend, secondIds, samples, 1);
      Tensor context = backend.empty(Shape.of(samples, maxLength(), contextShape().dim(1)));
      backend.concat(context, left, right, 2);
      List<float[]> contexts = rows(context);
      List<float[]> pooled = rows(second.model.embedsOfPenultimate(right, secondIds));
      List<TextEmbedding> embeddings = new ArrayList<>();
      for (int n = 0; n < samples; n++) {
        embeddings.add(new TextEmbedding(contexts.get(n), pooled.get(n)));
      }
      return embeddings;
    }
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
