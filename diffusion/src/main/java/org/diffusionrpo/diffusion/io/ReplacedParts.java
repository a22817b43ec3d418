package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;

/**
 * A model with some parts from elsewhere.
 *
 * @param tokenizer folder of another tokenizer; null for the model's own
 */
record ReplacedParts(ModelSource model, ComponentSource unet, ComponentSource vae, Path tokenizer)
    implements ModelSource {

  /**
   * A network in place of the model's.
   *
   * @param path its folder, the folder of a whole model, or a safetensors file in any naming
   */
  static ComponentSource replacement(Path path, ComponentKind kind, ComponentSource replaced, String variant)
      throws IOException {
    if (Files.isRegularFile(path)) {
      return ComponentFile.replacing(path, kind, replaced);
    }
    if (Files.isRegularFile(path.resolve(ModelFolder.INDEX))) {
      return ComponentFolder.diffusers(path.resolve(kind.folder()), kind.className(), variant);
    }
    return ComponentFolder.diffusers(path, kind.className(), variant);
  }

  @Override
  public Path path() {
    return model.path();
  }

  @Override
  public ModelConfig index() throws IOException {
    return model.index();
  }

  @Override
  public ComponentSource textEncoder() {
    return model.textEncoder();
  }

  @Override
  public ComponentSource textEncoder2() {
    return model.textEncoder2();
  }

  @Override
  public Map<String, ComponentSource> networks() throws IOException {
    Map<String, ComponentSource> networks = new LinkedHashMap<>(model.networks());
    networks.put(ModelFolder.UNET, unet);
    if (!vae.path().equals(model.vae().path())) { // a model in one file may come without
      networks.put(ModelFolder.VAE, vae);
    }
    return networks;
  }

  @Override
  public boolean hasTokenizer() {
    return tokenizer != null || model.hasTokenizer();
  }

  @Override
  public ClipTokenizer loadTokenizer() throws IOException {
    return tokenizer == null ? model.loadTokenizer() : ClipTokenizer.load(tokenizer);
  }

  @Override
  public ClipTokenizer loadTokenizer2() throws IOException {
    return tokenizer == null ? model.loadTokenizer2() : SingleFile.tokenizer2(ClipTokenizer.load(tokenizer));
  }

  @Override
  public Component<SchedulerConfig> loadScheduler() throws IOException {
    return model.loadScheduler();
  }

  @Override
  public Optional<Path> clip() {
    return model.clip();
  }

  @Override
  public String strangers() throws IOException {
    return model.strangers();
  }
}
