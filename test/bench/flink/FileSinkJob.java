import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.formats.parquet.row.ParquetRowDataBuilder;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.BucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.SimpleVersionedStringSerializer;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * The job of the benchmarks in Flink: web events as NDJSON into hourly folders of snappy Parquet, exactly once, by
 * FileSource and FileSink in one process. Arguments: {@code streaming|batch}, parallelism, input folder, lake, folder for
 * checkpoints. At its end it leaves what the process took where SLUICE_BENCH_USAGE says.
 *
 * <p>As quick as the public API allows: lines are parsed by Jackson's streaming parser straight into RowData, objects are
 * reused, and source, parser and writer are one chain, so that nothing is serialised between them.
 */
public final class FileSinkJob {
  private static final RowType EVENT =
      RowType.of(
          new LogicalType[] {
            new TimestampType(3),
            new VarCharType(VarCharType.MAX_LENGTH),
            new VarCharType(VarCharType.MAX_LENGTH),
            new VarCharType(VarCharType.MAX_LENGTH),
            new IntType(),
            new BigIntType(),
            new DoubleType(),
            new VarCharType(VarCharType.MAX_LENGTH),
            new ArrayType(new VarCharType(VarCharType.MAX_LENGTH)),
          },
          new String[] {"ts", "user", "country", "page", "status", "bytes", "ms", "agent", "tags"});

  public static void main(String[] args) throws Exception {
    boolean isBatch = args[0].equals("batch");
    var settings = new Configuration();
    settings.set(
        ExecutionOptions.RUNTIME_MODE,
        isBatch ? RuntimeExecutionMode.BATCH : RuntimeExecutionMode.STREAMING);
    settings.set(PipelineOptions.OBJECT_REUSE, true);
    settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, Path.of(args[4]).toUri().toString());
    // What flink-conf.yaml of a cluster that keeps its checkpoints in files says; the default is the heap of the master.
    settings.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    if (!isBatch) {
      settings.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(5));
    }
    var env = StreamExecutionEnvironment.getExecutionEnvironment(settings);
    env.setParallelism(Integer.parseInt(args[1]));

    var source =
        FileSource.forRecordStreamFormat(
                new TextLineInputFormat(), new org.apache.flink.core.fs.Path(Path.of(args[2]).toUri()))
            .build();
    var parquet = new org.apache.hadoop.conf.Configuration(false);
    parquet.set("parquet.compression", "SNAPPY");
    parquet.set("write.int64.timestamp", "true");
    parquet.set("timestamp.time.unit", "millis");
    var sink =
        FileSink.forBulkFormat(
                new org.apache.flink.core.fs.Path(Path.of(args[3]).toUri()),
                ParquetRowDataBuilder.createWriterFactory(EVENT, parquet, true))
            .withBucketAssigner(new HourlyFolders())
            .withRollingPolicy(OnCheckpointRollingPolicy.build())
            .withOutputFileConfig(OutputFileConfig.builder().withPartSuffix(".parquet").build())
            .build();
    env.fromSource(source, WatermarkStrategy.noWatermarks(), "events")
        .map(new ParseEvent())
        .returns(InternalTypeInfo.of(EVENT))
        .sinkTo(sink);
    env.execute("events to hourly folders");
    writeUsage(Path.of(System.getenv("SLUICE_BENCH_USAGE")));
  }

  /** Nanoseconds of CPU of all threads, as the operating system counts them, and the most memory that was resident. */
  private static void writeUsage(Path file) throws IOException {
    var system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long peakKiB =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmHWM:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
            .findFirst()
            .orElse(0);
    String usage =
        "{\"cpuSeconds\": %s, \"peakRssBytes\": %s}"
            .formatted(system.getProcessCpuTime() / 1e9, peakKiB * 1024);
    Files.writeString(file, usage);
  }

  private static final class ParseEvent extends RichMapFunction<String, RowData> {
    private static final JsonFactory JSON = new JsonFactory();
    private transient GenericRowData row;
    private transient List<StringData> items;

    @Override
    public void open(OpenContext context) {
      row = new GenericRowData(EVENT.getFieldCount());
      items = new ArrayList<>();
    }

    @Override
    public RowData map(String line) throws IOException {
      try (JsonParser parser = JSON.createParser(line)) {
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String field = parser.currentName();
          parser.nextToken();
          switch (field) {
            case "ts" -> row.setField(0, TimestampData.fromInstant(Instant.parse(parser.getText())));
            case "user" -> row.setField(1, text(parser));
            case "country" -> row.setField(2, text(parser));
            case "page" -> row.setField(3, text(parser));
            case "status" -> row.setField(4, parser.getIntValue());
            case "bytes" -> row.setField(5, parser.getLongValue());
            case "ms" -> row.setField(6, parser.getDoubleValue());
            case "agent" -> row.setField(7, text(parser));
            case "tags" -> row.setField(8, list(parser));
            default -> parser.skipChildren();
          }
        }
      }
      return row;
    }

    private static StringData text(JsonParser parser) throws IOException {
      return StringData.fromString(parser.getText());
    }

    private GenericArrayData list(JsonParser parser) throws IOException {
      items.clear();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        items.add(text(parser));
      }
      return new GenericArrayData(items.toArray());
    }
  }

  /** {@code dt=2026-11-22/hour=13}: the text of the hour before is kept, as rows come nearly in order. */
  private static final class HourlyFolders implements BucketAssigner<RowData, String> {
    private static final long HOUR_MS = 3_600_000;
    private static final DateTimeFormatter FOLDER =
        DateTimeFormatter.ofPattern("'dt='yyyy-MM-dd'/hour='HH").withZone(ZoneOffset.UTC);
    private transient long hour;
    private transient String folder;

    @Override
    public String getBucketId(RowData event, Context context) {
      long at = Math.floorDiv(event.getTimestamp(0, 3).getMillisecond(), HOUR_MS);
      if (folder == null || at != hour) {
        hour = at;
        folder = FOLDER.format(Instant.ofEpochMilli(at * HOUR_MS));
      }
      return folder;
    }

    @Override
    public SimpleVersionedSerializer<String> getSerializer() {
      return SimpleVersionedStringSerializer.INSTANCE;
    }
  }
}
