package org.diffusionrpo.rpo.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads JSONL, and CSV or TSV with a header line (RFC 4180), as maps from lower-case field names to text. */
final class TextTable {
  /** Takes one record, where JSON's null is null; {@code line} counts from 1 and is where the record begins. */
  interface RecordConsumer {
    boolean accept(int line, Map<String, String> fields) throws IOException;
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String BYTE_ORDER_MARK = "\ufeff";

  private final Path file;
  private final BufferedReader in;
  private int line;

  private TextTable(Path file, BufferedReader in) {
    this.file = file;
    this.in = in;
  }

  static void read(Path file, RecordConsumer consumer) throws IOException {
    String name = file.toString().toLowerCase(Locale.ROOT);
    try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      TextTable table = new TextTable(file, in);
      if (name.endsWith(".jsonl")) {
        table.readJson(consumer);
      } else {
        table.readSeparated(name.endsWith(".tsv") ? '\t' : ',', consumer);
      }
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": is not UTF-8 text", e);
    }
  }

  private void readJson(RecordConsumer consumer) throws IOException {
    for (String text = nextLine(); text != null; text = nextLine()) {
      if (!text.isBlank() && !consumer.accept(line, jsonFields(text))) {
        return;
      }
    }
  }

  private Map<String, String> jsonFields(String text) throws IOException {
    JsonNode node;
    try {
      node = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IOException(file + ":" + line + ": not JSON: " + e.getOriginalMessage(), e);
    }
    if (!node.isObject()) {
      throw new IOException(file + ":" + line + ": expected a JSON object");
    }
    Map<String, String> fields = new HashMap<>();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      JsonNode value = field.getValue();
      if (value.isValueNode()) {
        fields.put(field.getKey().toLowerCase(Locale.ROOT), value.isNull() ? null : value.asText());
      }
    }
    return fields;
  }

  private void readSeparated(char separator, RecordConsumer consumer) throws IOException {
    List<String> names = nextRecord(separator);
    if (names == null) {
      throw new IOException(file + ": is empty; expected a header line");
    }
    names.replaceAll(name -> name.strip().toLowerCase(Locale.ROOT));
    int start = line + 1;
    for (List<String> values = nextRecord(separator); values != null; values = nextRecord(separator)) {
      if (values.size() != names.size()) {
        throw new IOException(file + ":" + start + ": has " + values.size() + " fields, the header " + names.size());
      }
      Map<String, String> fields = new HashMap<>();
      for (int i = 0; i < names.size(); i++) {
        fields.put(names.get(i), values.get(i));
      }
      if (!consumer.accept(start, fields)) {
        return;
      }
      start = line + 1;
    }
  }

  /** The next record, or null at the end. A quoted field may hold separators, doubled quotes and line ends. */
  private List<String> nextRecord(char separator) throws IOException {
    String record = nextLine();
    while (record != null && record.isEmpty()) {
      record = nextLine();
    }
    if (record == null) {
      return null;
    }
    int start = line;
    while (record.chars().filter(c -> c == '"').count() % 2 != 0) {
      String more = nextLine();
      if (more == null) {
        throw new IOException(file + ":" + start + ": a quoted field does not end");
      }
      record = record + '\n' + more;
    }
    return fields(record, separator);
  }

  private static List<String> fields(String record, char separator) {
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < record.length(); i++) {
      char c = record.charAt(i);
      if (c == '"' && quoted && i + 1 < record.length() && record.charAt(i + 1) == '"') {
        field.append(c);
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == separator && !quoted) {
        fields.add(field.toString());
        field.setLength(0);
      } else {
        field.append(c);
      }
    }
    fields.add(field.toString());
    return fields;
  }

  private String nextLine() throws IOException {
    String text = in.readLine();
    line++;
    return text != null && line == 1 && text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
  }
}
