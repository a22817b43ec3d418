package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.ImageGrid;
import org.diffusionrpo.diffusion.image.PngText;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.pipeline.ImageRequest;
import org.diffusionrpo.diffusion.pipeline.SamplingSettings;
import org.diffusionrpo.diffusion.pipeline.StableDiffusionPipeline;
import org.diffusionrpo.diffusion.schedule.SamplerKind;
import org.diffusionrpo.rpo.ProgramVersion;
import org.diffusionrpo.rpo.align.NamedModelSettings;
import org.diffusionrpo.rpo.data.TextFiles;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.io.AtomicFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code drpo generate}: prompts to pictures. */
@Command(name = "generate", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    description = "Draw pictures for prompts.",
    footer = {"", "Examples:",
        "  drpo generate \"grinning face\" \"red apple\"",
        "  drpo generate --prompts prompts.txt --count 4 --out grid.png --individual pictures/",
        "  drpo generate \"cat\" --negative \"dog\" --guidance 7.5 --steps 30 --sampler dpm++2m-karras --seed 7",
        "  drpo generate \"sun\" --model runs/aligned/model",
        "  drpo generate \"a cat\" --model sd15.safetensors --tokenizer tokenizer/ --vae vae-ft-mse.safetensors "
            + "--storage f16",
        "  drpo generate \"sun\" --model stable-diffusion-xl --variant fp16 --original-size 2048,2048",
        "  drpo generate \"sun\" --lora runs/lora/lora/pytorch_lora_weights.safetensors:0.8"})
final class GenerateCommand implements Callable<Integer> {
  /** So few prompts with one picture each stand side by side instead of one below the other. */
  private static final int SIDE_BY_SIDE = 8;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "PROMPT", description = "What to draw; several prompts give several pictures.")
  private List<String> prompts = new ArrayList<>();

  @Option(names = "--prompts", paramLabel = "FILE", description = "Text file with one prompt on each line.")
  private Path promptFile;

  @Option(names = "--negative", paramLabel = "PROMPT", defaultValue = "", description = "What to keep away from.")
  private String negative;

  @Option(names = "--seed", defaultValue = "1", description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(names = "--steps", defaultValue = "25", description = "Sampler steps (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(names = "--guidance", defaultValue = "5",
      description = "Scale of classifier-free guidance; 1 for none (default: ${DEFAULT-VALUE}).")
  private double guidance;

  @Option(names = "--sampler", paramLabel = "NAME",
      description = "ddim, ddpm, pndm, euler, euler-ancestral, dpm++2m or dpm++2m-karras (default: dpm++2m, for SDXL "
          + "the model's own).")
  private String sampler;

  @Option(names = "--count", defaultValue = "1",
      description = "Pictures for each prompt, from different noise (default: ${DEFAULT-VALUE}).")
  private int count;

  @Option(names = "--width", defaultValue = "0", description = "In pixels (default: the model's own size).")
  private int width;

  @Option(names = "--height", defaultValue = "0", description = "In pixels (default: the model's own size).")
  private int height;

  @Mixin private OriginOptions origin;

  @Option(names = "--out", paramLabel = "FILE", defaultValue = "generated.png",
      description = "PNG file for all pictures in one grid (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(names = "--individual", paramLabel = "DIR", description = "Folder for each picture as a PNG file of its own.")
  private Path individual;

  @Mixin private NamedModelSettings model = new NamedModelSettings();

  @Option(names = "--lora", paramLabel = LoraArgument.LABEL, converter = LoraArgument.Converter.class,
      description = "Add a LoRA to the model with this strength (default: 1); repeatable.")
  private List<LoraArgument> loras = new ArrayList<>();

  @Mixin private SamplerBackendOptions backendOptions = new SamplerBackendOptions();

  @Override
  public Integer call() throws IOException {
    SamplingSettings settings = settings();
    List<ImageRequest> requests = requests();
    if (Files.isDirectory(out)) {
      throw new IllegalArgumentException("--out " + out + ": is a folder; expected the name of a PNG file");
    }
    List<RgbImage> images;
    try (Backend backend = backendOptions.open();
        StableDiffusion diffusion = StableDiffusion.load(model.open(), backend, model.asStored())) {
      if (sampler == null && diffusion.isXl()) {
        settings = settings.withSampler(SamplerKind.of(diffusion.scheduler().value()));
      }
      LoraArgument.merge(loras, diffusion);
      images = draw(new StableDiffusionPipeline(backend, diffusion), requests, settings);
    }
    if (images.size() < requests.size()) {
      return Interruption.EXIT_CODE;
    }
    write(requests, images, settings);
    return 0;
  }

  private SamplingSettings settings() {
    if (count < 1) {
      throw new IllegalArgumentException("--count " + count + ": expected at least 1");
    }
    SamplerKind kind = sampler == null ? SamplerKind.DPM_SOLVER : SamplerKind.named(sampler);
    return new SamplingSettings(kind, steps, guidance, width, height, origin.origin());
  }

  private List<ImageRequest> requests() throws IOException {
    List<String> all = new ArrayList<>(prompts);
    if (promptFile != null) {
      TextFiles.read(promptFile).lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(all::add);
    }
    if (all.isEmpty()) {
      throw new IllegalArgumentException(promptFile == null
          ? "no prompt given; for example: drpo generate \"red apple\""
          : "--prompts " + promptFile + ": holds no prompt");
    }
    prompts = all;
    List<ImageRequest> requests = new ArrayList<>();
    for (String prompt : all) {
      for (int i = 0; i < count; i++) {
        requests.add(new ImageRequest(prompt, negative, seed, i));
      }
    }
    return requests;
  }

  private List<RgbImage> draw(StableDiffusionPipeline pipeline, List<ImageRequest> requests,
      SamplingSettings settings) {
    try (RunProgress progress = new RunProgress(spec.commandLine().getErr(), "drawing")) {
      return pipeline.generate(requests, settings, progress);
    }
  }

  private void write(List<ImageRequest> requests, List<RgbImage> images, SamplingSettings settings)
      throws IOException {
    PrintWriter console = spec.commandLine().getOut();
    if (individual != null) {
      for (int i = 0; i < images.size(); i++) {
        ImageRequest request = requests.get(i);
        writePng(individual.resolve(fileName(i, request)), images.get(i),
            describe(request.prompt(), images.get(i), settings) + ", Image: " + request.index());
      }
      console.println("wrote " + images.size() + " pictures into " + individual);
    }
    writePng(out, grid(images), describe(String.join("\n", prompts), images.get(0), settings) + ", Count: " + count);
    console.println("wrote " + out);
  }

  private RgbImage grid(List<RgbImage> images) {
    if (count == 1 && prompts.size() <= SIDE_BY_SIDE) {
      return ImageGrid.compose(List.of(images), prompts, List.of());
    }
    List<List<RgbImage>> rows = new ArrayList<>();
    for (int from = 0; from < images.size(); from += count) {
      rows.add(images.subList(from, from + count));
    }
    return ImageGrid.compose(rows, List.of(), prompts);
  }

  /** The form in which the usual web interfaces write a picture's settings, so that their readers understand it. */
  private String describe(String prompt, RgbImage image, SamplingSettings settings) {
    return prompt + (negative.isEmpty() ? "" : "\nNegative prompt: " + negative)
        + String.format(Locale.ROOT, "%nSteps: %d, Sampler: %s, CFG scale: %s, Seed: %d, Size: %dx%d, Model: %s",
            settings.steps(), settings.sampler().label(), settings.guidance(), seed, image.width(), image.height(),
            model.modelPath().toAbsolutePath().normalize().getFileName())
        + origin.describe(image)
        + model.given().entrySet().stream().map(part -> ", " + part.getKey() + ": " + quoted(part.getValue()))
            .collect(Collectors.joining())
        + (loras.isEmpty() ? "" : loras.stream().map(LoraArgument::toString)
            .collect(Collectors.joining(", ", ", Loras: \"", "\"")));
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static void writePng(Path file, RgbImage image, String parameters) throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("parameters", parameters);
    texts.put("Software", "drpo " + ProgramVersion.current());
    AtomicFiles.write(file, PngText.add(ImageCodec.encodePng(image), texts, file.toString()));
  }

  /** For example {@code 003-red-apple-1.png}: number, start of the prompt, index. */
  private static String fileName(int number, ImageRequest request) {
    String words = request.prompt().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
    return String.format(Locale.ROOT, "%03d-%s-%d.png", number, words.substring(0, Math.min(40, words.length())),
        request.index());
  }
}
