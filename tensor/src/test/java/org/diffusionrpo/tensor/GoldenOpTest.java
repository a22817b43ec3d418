package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.diffusionrpo.tensor.io.TensorSource;
import org.junit.jupiter.api.function.Executable;

/**
 * Every operation with all its gradients against libtorch in float64. The file holds, for each case c, inputs c.x and
 * so on, the output c.y, its gradient c.dy and the inputs' gradients c.dx and so on, in PyTorch's layouts; the
 * metadata hold the settings.
 */
class GoldenOpTest {
  private static final int CASES = 23;

  @OnEachBackend
  void everyOperationMatchesLibtorch(Backend backend) throws IOException, URISyntaxException {
    List<Executable> checks = new ArrayList<>();
    try (TensorSource file = SafetensorsFile.open(Path.of(GoldenOpTest.class.getResource("/golden/ops.safetensors")
        .toURI())); MemoryScope scope = backend.scope()) {
      Map<String, String> cases = new TreeMap<>(file.metadata());
      cases.remove("format");
      assertEquals(CASES, cases.size(), cases::toString);
      for (Map.Entry<String, String> entry : cases.entrySet()) {
        Case golden = new Case(backend, file, entry.getKey(), entry.getValue());
        golden.run();
        golden.results.forEach((name, tensor) -> checks.add(() -> golden.compare(name, tensor)));
      }
      assertAll(checks);
    }
  }

  private static final class Case {
    private final Backend backend;
    private final TensorSource file;
    private final String name;
    private final String kind;
    private final Map<String, String> settings = new HashMap<>();
    private final Map<String, Tensor> results = new LinkedHashMap<>();

    Case(Backend backend, TensorSource file, String name, String text) {
      this.backend = backend;
      this.file = file;
      this.name = name;
      String[] words = text.split(" ");
      this.kind = words[0].contains("=") ? name : words[0];
      for (String word : words) {
        String[] pair = word.split("=");
        if (pair.length == 2) {
          settings.put(pair[0], pair[1]);
        }
      }
    }

    void run() throws IOException {
      switch (kind) {
        case "conv2d" -> convolution();
        case "linear" -> linear();
        case "group_norm" -> groupNorm();
        case "group_norm_silu" -> groupNormSilu();
        case "layer_norm" -> layerNorm();
        case "attention" -> attention();
        case "upsample_nearest" -> upsample();
        default -> activation();
      }
    }

    private void convolution() throws IOException {
      Conv2dGeometry geometry = new Conv2dGeometry(number("stride"), number("top"), number("left"), number("bottom"),
          number("right"));
      Tensor x = input("x");
      Tensor w = input("w");
      Tensor dy = input("dy");
      backend.conv2dForward(result("y", dy.shape()), x, w, input("b"), geometry);
      backend.conv2dBackwardData(result("dx", x.shape()), dy, w, geometry);
      backend.conv2dBackwardWeight(sum("dw", w.shape()), sum("db", Shape.of(w.dim(0))), dy, x, geometry);
    }

    private void linear() throws IOException {
      Tensor x = input("x");
      Tensor w = input("w");
      Tensor dy = input("dy");
      backend.linearForward(result("y", dy.shape()), x, w, input("b"));
      backend.linearBackwardData(result("dx", x.shape()), dy, w);
      backend.linearBackwardWeight(sum("dw", w.shape()), sum("db", Shape.of(w.dim(0))), dy, x);
    }

    private void groupNorm() throws IOException {
      int groups = number("groups");
      Tensor x = input("x");
      Tensor gamma = input("gamma");
      Tensor mean = backend.empty(Shape.of(x.dim(0), groups));
      Tensor rstd = backend.empty(mean.shape());
      backend.groupNormForward(result("y", x.shape()), mean, rstd, x, gamma, input("beta"), groups, eps());
      backend.groupNormBackward(result("dx", x.shape()), sum("dgamma", gamma.shape()), sum("dbeta", gamma.shape()),
          input("dy"), x, gamma, mean, rstd, groups);
    }

    private void groupNormSilu() throws IOException {
      int groups = number("groups");
      Tensor x = input("x");
      Tensor gamma = input("gamma");
      Tensor beta = input("beta");
      Tensor mean = backend.empty(Shape.of(x.dim(0), groups));
      Tensor rstd = backend.empty(mean.shape());
      backend.groupNormSiluForward(result("y", x.shape()), mean, rstd, x, gamma, beta, groups, eps());
      backend.groupNormSiluBackward(result("dx", x.shape()), sum("dgamma", gamma.shape()), sum("dbeta", gamma.shape()),
          input("dy"), x, gamma, beta, mean, rstd, groups);
    }

    private void layerNorm() throws IOException {
      Tensor x = input("x");
      Tensor gamma = input("gamma");
      Tensor mean = backend.empty(Shape.of(x.shape().sizeBefore(-1)));
      Tensor rstd = backend.empty(mean.shape());
      backend.layerNormForward(result("y", x.shape()), mean, rstd, x, gamma, input("beta"), eps());
      backend.layerNormBackward(result("dx", x.shape()), sum("dgamma", gamma.shape()), sum("dbeta", gamma.shape()),
          input("dy"), x, gamma, mean, rstd);
    }

    private void attention() throws IOException {
      int heads = number("heads");
      boolean causal = Boolean.parseBoolean(settings.get("causal"));
      Tensor q = input("q");
      Tensor k = input("k");
      Tensor v = input("v");
      Tensor lse = backend.empty(Shape.of(q.dim(0), heads, q.dim(1)));
      backend.attentionForward(result("y", q.shape()), lse, q, k, v, heads, causal);
      backend.attentionBackward(result("dq", q.shape()), result("dk", k.shape()), result("dv", v.shape()), input("dy"),
          q, k, v, results.get("y"), lse, heads, causal);
    }

    private void upsample() throws IOException {
      Tensor x = input("x");
      Tensor dy = input("dy");
      backend.upsampleNearestForward(result("y", dy.shape()), x);
      backend.upsampleNearestBackward(result("dx", x.shape()), dy);
    }

    private void activation() throws IOException {
      Tensor x = input("x");
      Tensor dy = input("dy");
      if (name.equals("geglu")) {
        backend.gegluForward(result("y", dy.shape()), x);
        backend.gegluBackward(result("dx", x.shape()), dy, x);
      } else {
        Activation activation = Activation.fromConfig(name);
        backend.activationForward(activation, result("y", x.shape()), x);
        backend.activationBackward(activation, result("dx", x.shape()), dy, x);
      }
    }

    private void compare(String tensor, Tensor actual) throws IOException {
      double limit = tensor.equals("y") ? Tolerances.GOLDEN_OUTPUT : Tolerances.GOLDEN_GRADIENT;
      double error = Tolerances.goldenError(TestTensors.doubles(actual), TestTensors.doubles(input(tensor)));
      assertTrue(error <= limit, () -> name + "." + tensor + " is off by " + error);
    }

    /** A tensor of the file in our layout: all that have four axes are NCHW or OIHW there. */
    private Tensor input(String tensor) throws IOException {
      String full = name + "." + tensor;
      int[] dims = file.info(full).shape().stream().mapToInt(Long::intValue).toArray();
      float[] values = file.readFloats(full);
      return dims.length == 4
          ? backend.of(Shape.of(dims[0], dims[2], dims[3], dims[1]),
              Layout.toNhwc(values, dims[0], dims[1], dims[2], dims[3]))
          : backend.of(Shape.of(dims), values);
    }

    private Tensor result(String tensor, Shape shape) {
      results.put(tensor, backend.empty(shape));
      return results.get(tensor);
    }

    /** A gradient that is added to. */
    private Tensor sum(String tensor, Shape shape) {
      results.put(tensor, backend.zeros(shape));
      return results.get(tensor);
    }

    private int number(String setting) {
      return Integer.parseInt(settings.get(setting));
    }

    private float eps() {
      return Float.parseFloat(settings.get("eps"));
    }
  }
}
