package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * A model whose networks are made with undefined weights: only settings and the headers of weight files are read. For
 * runs that are only counted, on a {@link org.diffusionrpo.tensor.counting.CountingBackend}.
 */
public record WeightlessModel(ModelSource model) implements ModelSource {
  /** One network likewise. */
  public static ComponentSource of(ComponentSource network) {
    return new Network(network);
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
  public ComponentSource unet() {
    return of(model.unet());
  }

  @Override
  public ComponentSource vae() {
    return of(model.vae());
  }

  @Override
  public ComponentSource textEncoder() {
    return of(model.textEncoder());
  }

  @Override
  public ComponentSource textEncoder2() {
    return of(model.textEncoder2());
  }

  @Override
  public boolean hasTokenizer() {
    return model.hasTokenizer();
  }

  @Override
  public ClipTokenizer loadTokenizer() throws IOException {
    return model.loadTokenizer();
  }

  @Override
  public ClipTokenizer loadTokenizer2() throws IOException {
    return model.loadTokenizer2();
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

  private record Network(ComponentSource source) implements ComponentSource {
    @Override
    public Path path() {
      return source.path();
    }

    @Override
    public String className() {
      return source.className();
    }

    @Override
    public ModelConfig config() throws IOException {
      return source.config();
    }

    @Override
    public TensorSource openWeights() throws IOException {
      return source.openWeights();
    }

    @Override
    public Naming naming(TensorSource weights) throws IOException {
      return source.naming(weights);
    }

    @Override
    public void fill(Parameters parameters, Backend backend, Storage storage) throws IOException {
      String problems = problems(config -> parameters);
      if (!problems.isEmpty()) {
        throw new IOException(path() + ": " + className() + ": the weights do not fit the config: " + problems);
      }
      for (Parameter parameter : parameters.all()) {
        parameter.fill(backend, parameter.isMatrix() ? storage : Storage.F32, value -> {});
      }
    }
  }
}
