package org.diffusionrpo.tensor.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonParser.NumberType;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, checked in full: a header that passes describes every byte of the data once.
 * Messages do not name the file; {@link SafetensorsFile} puts it in front.
 */
final class SafetensorsHeader {
  /** Longest header the format allows. */
  static final int MAX_BYTES = 100_000_000;
  static final String METADATA = "__metadata__";

  /** Far above any real file; a header of nothing but tiny entries would otherwise fill the memory. */
  private static final int MAX_TENSORS = 100_000;
  private static final int MAX_METADATA = 100_000;

  /** Names are not interned or pooled: they are mostly unique, and a pool can be attacked with equal hashes. */
  static final JsonFactory JSON = new JsonFactoryBuilder()
      .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
      .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .build();

  private final List<Entry> entries = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  /** A tensor and where its data lie, in bytes from the start of the data, end exclusive. */
  record Entry(TensorInfo info, long begin, long end) {}

  private SafetensorsHeader() {}

  /** The tensors, ordered by their place in the data. */
  List<Entry> entries() {
    return entries;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  /** Parses and checks a header in front of {@code dataBytes} bytes of data; a message of one line if it is faulty. */
  static SafetensorsHeader parse(byte[] bytes, long dataBytes) throws IOException {
    if (bytes.length == 0 || bytes[0] != '{') {
      throw new IOException("the header does not begin with '{'");
    }
    SafetensorsHeader header = new SafetensorsHeader();
    try (JsonParser json = JSON.createParser(strictUtf8(bytes))) {
      header.read(json);
    } catch (CharacterCodingException e) {
      throw new IOException("the header is not valid UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new IOException("the header is not valid JSON: " + Messages.line(e.getOriginalMessage()), e);
    }
    header.checkLayout(dataBytes);
    return header;
  }

  /** Unlike the parser's own decoder this one refuses every malformed sequence. */
  static Reader strictUtf8(byte[] bytes) {
    return new InputStreamReader(new ByteArrayInputStream(bytes), StandardCharsets.UTF_8.newDecoder());
  }

  private void read(JsonParser json) throws IOException {
    json.nextToken();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      expect(json.nextToken(), JsonToken.START_OBJECT, "the value of " + Messages.quote(name));
      if (name.equals(METADATA)) {
        readMetadata(json);
      } else {
        entries.add(readEntry(name, json));
        if (entries.size() > MAX_TENSORS) {
          throw new IOException("the header lists more than " + MAX_TENSORS + " tensors");
        }
      }
    }
    if (json.nextToken() != null) {
      throw new IOException("the header goes on after its closing brace");
    }
  }

  private void readMetadata(JsonParser json) throws IOException {
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String key = json.currentName();
      expect(json.nextToken(), JsonToken.VALUE_STRING, METADATA + " value of " + Messages.quote(key));
      metadata.put(key, json.getText());
      if (metadata.size() > MAX_METADATA) {
        throw new IOException("the header has more than " + MAX_METADATA + " metadata pairs");
      }
    }
  }

  private static Entry readEntry(String name, JsonParser json) throws IOException {
    DType dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    String tensor = "tensor " + Messages.quote(name);
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String key = json.currentName();
      json.nextToken();
      switch (key) {
        case "dtype" -> dtype = readDType(json, tensor);
        case "shape" -> shape = readIntegers(json, tensor + " shape", TensorInfo.MAX_AXES);
        case "data_offsets" -> offsets = readIntegers(json, tensor + " data_offsets", 2);
        default -> throw new IOException(tensor + ": unknown member " + Messages.quote(key));
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw new IOException(tensor + ": one of dtype, shape and data_offsets is missing");
    }
    if (offsets.size() != 2) {
      throw new IOException(tensor + ": data_offsets needs two numbers, got " + offsets);
    }
    TensorInfo info;
    try {
      info = new TensorInfo(name, dtype, shape);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (end < begin || end - begin != info.bytes()) {
      throw new IOException(info + " has data_offsets " + offsets + ", but needs " + info.bytes() + " bytes");
    }
    return new Entry(info, begin, end);
  }

  private static DType readDType(JsonParser json, String tensor) throws IOException {
    expect(json.currentToken(), JsonToken.VALUE_STRING, tensor + " dtype");
    try {
      return DType.valueOf(json.getText());
    } catch (IllegalArgumentException e) {
      throw new IOException(tensor + ": unknown dtype " + Messages.quote(json.getText()), e);
    }
  }

  private static List<Long> readIntegers(JsonParser json, String what, int most) throws IOException {
    expect(json.currentToken(), JsonToken.START_ARRAY, what);
    List<Long> numbers = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      expect(json.currentToken(), JsonToken.VALUE_NUMBER_INT, what);
      if (json.getNumberType() == NumberType.BIG_INTEGER || json.getLongValue() < 0) {
        throw new IOException(what + ": " + Messages.line(json.getText()) + " is not in the range from 0 to 2^63 - 1");
      }
      if (numbers.size() == most) {
        throw new IOException(what + ": more than " + most + " numbers");
      }
      numbers.add(json.getLongValue());
    }
    return numbers;
  }

  private static void expect(JsonToken found, JsonToken expected, String what) throws IOException {
    if (found != expected) {
      throw new IOException(what + ": expected " + expected + ", found " + found);
    }
  }

  /** The tensors must cover the data without gap or overlap. */
  private void checkLayout(long dataBytes) throws IOException {
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long end = 0;
    for (Entry entry : entries) {
      if (entry.begin != end) {
        throw new IOException(entry.info + " begins at byte " + entry.begin + " of the data, but the tensors before it"
            + " end at byte " + end);
      }
      end = entry.end;
    }
    if (end != dataBytes) {
      throw new IOException("the tensors take " + end + " bytes, but the file holds " + dataBytes + " bytes of data");
    }
  }
}
