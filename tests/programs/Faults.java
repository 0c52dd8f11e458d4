import java.io.File;
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Work on all processors, collections of garbage, and a mapped object of /dev/shm that is cut short: prints the same each time. */
public class Faults {
	static boolean read(MappedByteBuffer buffer) {
		try {
			for (int i = 0; i < 20000; i++)
				buffer.get(8000);
			return false;
		} catch (InternalError | IndexOutOfBoundsException expected) {
			return true;
		}
	}

	static boolean reads(MappedByteBuffer buffer) {
		try {
			return read(buffer);
		} catch (InternalError late) {
			return true;
		}
	}

	public static void main(String[] arguments) throws Exception {
		File file = new File("/dev/shm/shmguard-sigbus." + ProcessHandle.current().pid());
		try (RandomAccessFile access = new RandomAccessFile(file, "rw")) {
			access.setLength(16384);
			MappedByteBuffer buffer = access.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, 16384);
			buffer.put(8000, (byte) 7);
			System.out.println("cut short: " + reads(buffer));
			access.setLength(4096);
			System.out.println("cut short: " + reads(buffer));
			access.setLength(16384);
			System.out.println("cut short: " + reads(buffer));
		} finally {
			file.delete();
		}
		System.out.println(IntStream.range(0, 1000000).parallel().mapToLong(i -> Integer.toString(i).hashCode()).sum());
		List<byte[]> garbage = new ArrayList<>();
		for (int i = 0; i < 50000; i++) {
			garbage.add(new byte[4096]);
			if (garbage.size() > 1000)
				garbage.clear();
		}
		System.out.println("done");
	}
}
