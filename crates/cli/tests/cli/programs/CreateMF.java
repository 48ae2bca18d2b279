import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;

/** Writes a bitmap of blocks of 64 KiB, most significant bit first, after magic and size. It reads every byte. */
public class CreateMF {
    static final int BLOCK = 64 << 10;

    public static void main(String[] args) throws Exception {
        try (RandomAccessFile image = new RandomAccessFile(args[0], "r");
                FileOutputStream out = new FileOutputStream(args[1])) {
            long size = image.length();
            int blocks = (int) ((size + BLOCK - 1) / BLOCK);
            byte[] bits = new byte[(blocks + 7) / 8];
            byte[] buffer = new byte[BLOCK];
            for (int block = 0; block < blocks; block++) {
                int count = 0;
                while (count < BLOCK) {
                    int read = image.read(buffer, count, BLOCK - count);
                    if (read < 0) {
                        break;
                    }
                    count += read;
                }
                for (int i = 0; i < count; i++) {
                    if (buffer[i] != 0) {
                        bits[block / 8] |= 0x80 >> block % 8;
                        break;
                    }
                }
            }
            out.write(ByteBuffer.allocate(16).put("MFv1".getBytes()).putInt(blocks).putLong(size).array());
            out.write(bits);
        }
    }
}
