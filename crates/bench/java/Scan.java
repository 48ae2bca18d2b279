import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * What a plain bitmap tool in Java does: read the whole image, one block of 2 MiB after the other, and set a bit for
 * each block that has a byte that is not zero. `java Scan stream|channel IMAGE BITMAP`
 */
public final class Scan {
    private static final int BLOCK = 2 << 20;

    public static void main(String[] args) throws IOException {
        Path image = Path.of(args[1]);
        int blocks = Math.toIntExact((Files.size(image) + BLOCK - 1) / BLOCK);
        byte[] bits = new byte[(blocks + 7) / 8];
        if (args[0].equals("stream")) {
            stream(image, bits);
        } else {
            channel(image, bits);
        }
        // In whole segments of 4096 bytes.
        Files.write(Path.of(args[2]), Arrays.copyOf(bits, Math.max(1, (bits.length + 4095) / 4096) * 4096));
    }

    private static void stream(Path image, byte[] bits) throws IOException {
        byte[] buffer = new byte[BLOCK];
        try (InputStream in = new FileInputStream(image.toFile())) {
            for (int block = 0; ; block++) {
                int length = in.readNBytes(buffer, 0, BLOCK);
                if (length == 0) {
                    return;
                }
                for (int i = 0; i < length; i++) {
                    if (buffer[i] != 0) {
                        bits[block / 8] |= (byte) (1 << (block % 8));
                        break;
                    }
                }
            }
        }
    }

    private static void channel(Path image, byte[] bits) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(BLOCK);
        try (FileChannel in = FileChannel.open(image, StandardOpenOption.READ)) {
            for (int block = 0; ; block++) {
                buffer.clear();
                while (buffer.hasRemaining() && in.read(buffer) >= 0) {
                    // Until the block is full or the file ends.
                }
                buffer.flip();
                if (!buffer.hasRemaining()) {
                    return;
                }
                if (hasData(buffer)) {
                    bits[block / 8] |= (byte) (1 << (block % 8));
                }
            }
        }
    }

    private static boolean hasData(ByteBuffer buffer) {
        while (buffer.remaining() >= Long.BYTES) {
            if (buffer.getLong() != 0) {
                return true;
            }
        }
        while (buffer.hasRemaining()) {
            if (buffer.get() != 0) {
                return true;
            }
        }
        return false;
    }
}
