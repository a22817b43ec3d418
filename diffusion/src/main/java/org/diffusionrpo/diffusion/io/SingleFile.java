package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.clip.TokenizerSettings;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.tensor.io.TensorSource;

/**
 * A whole Stable Diffusion 1.x or SDXL in one safetensors file with the names of the original code. Such a file has
 * weights only: settings are the published ones of the family, or a folder's; the tokenizer's files must be named.
 */
public final class SingleFile implements ModelSource {
  /** Marks of newer files whose model predicts v, and whose noise schedule ends in pure noise. */
  private static final String V_PREDICTION = "v_pred";
  private static final String ZERO_TERMINAL_SNR = "ztsnr";

  /** Constants of the noise schedule and other left-overs of training. */
  private static final Pattern LEFT_OVER = Pattern.compile("(betas|alphas_|sqrt_|log_|posterior_|denoiser\\.|model_ema"
      + "|logvar|lvlb_weights|cond_stage_model\\.logit_scale|first_stage_model\\.loss\\.).*|"
      + V_PREDICTION + "|" + ZERO_TERMINAL_SNR);

  /** The padding token of tokenizer_2, as published. */
  private static final String PADDING_2 = "!";

  private final Path path;
  private final String family;
  private final Path settings;
  private final Path tokenizer;

  private SingleFile(Path path, String family, Path settings, Path tokenizer) {
    this.path = path;
    this.family = family;
    this.settings = settings;
    Path besideSettings = settings == null ? null : settings.resolve(ModelFolder.TOKENIZER);
    this.tokenizer = tokenizer == null && besideSettings != null && Files.isDirectory(besideSettings)
        ? besideSettings : tokenizer;
  }

  /**
   * Opens a file and tells its family.
   *
   * @param settings folder with the {@code config.json} files of a model folder; null for the family's published ones
   * @param tokenizer folder with {@code vocab.json} and {@code merges.txt}; null for {@code tokenizer/} in settings
   */
  static SingleFile open(Path path, Path settings, Path tokenizer) throws IOException {
    requireSafetensors(path);
    try (TensorSource file = TensorSource.open(path)) {
      if (!ModelFamily.isWhole(file)) {
        throw new IOException(path + ": is not a whole Stable Diffusion 1.x or SDXL; it seems to be "
            + ModelFamily.describe(file));
      }
      return new SingleFile(path, ModelFamily.isXl(file.names()) ? "sdxl" : "sd15", settings, tokenizer);
    }
  }

  /** PyTorch's own files are pickles, which can run code and are not read. */
  static void requireSafetensors(Path path) throws IOException {
    byte[] start;
    try (InputStream in = Files.newInputStream(path)) {
      start = in.readNBytes(2);
    }
    boolean zip = start.length == 2 && start[0] == 'P' && start[1] == 'K';
    boolean pickle = start.length == 2 && (start[0] & 0xFF) == 0x80 && start[1] >= 2 && start[1] <= 5;
    if (zip || pickle && path.toString().matches(".*\\.(ckpt|pt|pth|bin)")) {
      throw new IOException(path + ": is a PyTorch pickle; convert it to safetensors first");
    }
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public ModelConfig index() throws IOException {
    return settings(ModelFolder.INDEX);
  }

  @Override
  public ComponentSource unet() {
    return part(ComponentKind.UNET);
  }

  @Override
  public ComponentSource vae() {
    return part(ComponentKind.VAE);
  }

  @Override
  public ComponentSource textEncoder() {
    return part(ComponentKind.TEXT_ENCODER);
  }

  @Override
  public ComponentSource textEncoder2() {
    return part(ComponentKind.TEXT_ENCODER_2);
  }

  @Override
  public boolean hasTokenizer() {
    return tokenizer != null;
  }

  @Override
  public ClipTokenizer loadTokenizer() throws IOException {
    if (!hasTokenizer()) {
      throw new IOException(path + ": a single file has no tokenizer; name a folder with CLIP's vocab.json and "
          + "merges.txt with --tokenizer DIR");
    }
    return ClipTokenizer.load(tokenizer);
  }

  @Override
  public ClipTokenizer loadTokenizer2() throws IOException {
    return tokenizer2(loadTokenizer());
  }

  /** SDXL's second tokenizer has the words of the first and differs in its padding. */
  static ClipTokenizer tokenizer2(ClipTokenizer first) {
    return new ClipTokenizer(first.vocabulary(), new TokenizerSettings(TokenizerSettings.BOS, TokenizerSettings.EOS,
        TokenizerSettings.EOS, PADDING_2, first.maxLength(), Map.of()));
  }

  @Override
  public Component<SchedulerConfig> loadScheduler() throws IOException {
    ModelConfig config = settings(ModelFolder.SCHEDULER + "/" + ModelFolder.SCHEDULER_CONFIG);
    if (settings == null) {
      config = marked(config);
    }
    return new Component<>(SchedulerConfig.parse(config.source(), config.json().toString()), config);
  }

  /** The published settings with what the file's marks say of them. */
  private ModelConfig marked(ModelConfig published) throws IOException {
    ObjectNode json = published.json().deepCopy();
    try (TensorSource file = TensorSource.open(path)) {
      if (file.names().contains(V_PREDICTION)) {
        json.put("prediction_type", "v_prediction");
      }
      if (file.names().contains(ZERO_TERMINAL_SNR)) {
        json.put("rescale_betas_zero_snr", true);
      }
    }
    return ModelConfig.of(published.source(), json);
  }

  @Override
  public Optional<Path> clip() {
    return Optional.empty();
  }

  @Override
  public String strangers() throws IOException {
    try (TensorSource file = TensorSource.open(path)) {
      Set<String> strangers = new TreeSet<>(file.names());
      strangers.removeIf(name -> LEFT_OVER.matcher(name).matches());
      for (ComponentKind kind : ComponentKind.values()) {
        String prefix = kind.prefix(file.names());
        strangers.removeIf(name -> !prefix.isEmpty() && name.startsWith(prefix));
      }
      return WeightProblems.shown(List.copyOf(strangers));
    }
  }

  @Override
  public Map<String, ComponentSource> networks() throws IOException {
    Map<String, ComponentSource> networks = new LinkedHashMap<>();
    try (TensorSource file = TensorSource.open(path)) {
      for (ComponentKind kind : ComponentKind.values()) {
        if (!kind.prefix(file.names()).isEmpty()) {
          networks.put(kind.folder(), part(kind));
        }
      }
    }
    return networks;
  }

  private ComponentSource part(ComponentKind kind) {
    return new ComponentFile(path, kind, () -> settings(kind.folder() + "/" + ComponentFolder.CONFIG));
  }

  /** @param name as in a model folder, e.g. {@code unet/config.json} */
  private ModelConfig settings(String name) throws IOException {
    if (settings != null) {
      return ModelConfig.read(settings.resolve(name));
    }
    return published(family, name);
  }

  /** Published settings of {@code sd15} or {@code sdxl}, by their name in a model folder. */
  public static ModelConfig published(String family, String name) throws IOException {
    try (InputStream in = SingleFile.class.getResourceAsStream(family + "/" + name)) {
      return ModelConfig.parse("the published " + name + " of " + family,
          new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }
}
