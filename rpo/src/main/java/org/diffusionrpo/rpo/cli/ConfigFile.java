package org.diffusionrpo.rpo.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.diffusionrpo.diffusion.io.NearestName;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Options from a YAML file, named as on the command line without the dashes; the command line overrides them. */
final class ConfigFile {
  private ConfigFile() {}

  /**
   * Sets the options that the file names and the command line leaves open.
   *
   * @param settings an object with annotated fields, already filled from the command line
   * @param given what the command line says
   */
  static void apply(Path file, Object settings, ParseResult given) throws IOException {
    apply(file, settings, given, given.commandSpec());
  }

  /** As {@link #apply}; the file may also name settings that are no options of the command, as one for another may. */
  static void applyAll(Path file, Object settings, ParseResult given) throws IOException {
    apply(file, settings, given, CommandSpec.forAnnotatedObject(settings));
  }

  private static void apply(Path file, Object settings, ParseResult given, CommandSpec allowed) throws IOException {
    CommandSpec spec = CommandSpec.forAnnotatedObject(settings);
    List<String> words = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : read(file).properties()) {
      OptionSpec option = option(spec, allowed, entry.getKey(), file);
      if (!given.hasMatchedOption(option.longestName())) {
        add(words, option, entry.getValue(), file);
      }
    }
    try {
      // The values from the command line are this parser's defaults, so what the words do not name stays.
      new CommandLine(spec).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(words.toArray(String[]::new));
    } catch (ParameterException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  private static JsonNode read(Path file) throws IOException {
    JsonNode root;
    try {
      root = new YAMLMapper().readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": not YAML: " + e.getOriginalMessage(), e);
    }
    if (root.isMissingNode() || root.isNull()) {
      return new YAMLMapper().createObjectNode(); // nothing but comments
    }
    if (!root.isObject()) {
      throw new IOException(file + ": expected lines such as \"steps: 300\"");
    }
    return root;
  }

  private static OptionSpec option(CommandSpec spec, CommandSpec allowed, String key, Path file) {
    OptionSpec option = spec.findOption("--" + key);
    // A command may leave out some of the settings.
    if (option == null || allowed.findOption("--" + key) == null) {
      Set<String> known = spec.options().stream().map(o -> o.longestName().substring(2))
          .filter(name -> allowed.findOption("--" + name) != null)
          .collect(Collectors.toCollection(TreeSet::new));
      String nearest = NearestName.of(key, known);
      throw new IllegalArgumentException(file + ": unknown setting '" + key + "'; "
          + (nearest == null ? "known are " + String.join(", ", known) : "did you mean '" + nearest + "'?"));
    }
    return option;
  }

  private static void add(List<String> words, OptionSpec option, JsonNode value, Path file) {
    String name = option.longestName();
    if (option.arity().max() == 0) {
      if (!value.isBoolean()) {
        throw new IllegalArgumentException(file + ": " + name.substring(2) + ": expected true or false");
      }
      if (value.booleanValue()) {
        words.add(name);
      }
      return;
    }
    words.add(name + "=" + text(value, name, file));
  }

  private static String text(JsonNode value, String name, Path file) {
    if (value.isArray()) {
      List<String> parts = new ArrayList<>();
      value.forEach(part -> parts.add(text(part, name, file)));
      return String.join(",", parts);
    }
    if (!value.isValueNode() || value.isNull()) {
      throw new IllegalArgumentException(file + ": " + name.substring(2) + ": expected a value");
    }
    return value.asText();
  }
}
