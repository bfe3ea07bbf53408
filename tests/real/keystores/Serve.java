import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** Serve PASSWORD-FILE STORE...: one handshake with the key of each, the port of each on a line. For every release since 8. */
public final class Serve {
    public static void main(String[] arguments) throws Exception {
        byte[] secret = Files.readAllBytes(Paths.get(arguments[0]));
        char[] password = new String(secret, StandardCharsets.UTF_8).toCharArray();
        for (int at = 1; at < arguments.length; at++) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            try (InputStream file = new FileInputStream(arguments[at])) {
                store.load(file, password);
            }
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, password);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            try (SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0)) {
                server.setSoTimeout(60_000);
                System.out.println("port " + server.getLocalPort());
                try (SSLSocket client = (SSLSocket) server.accept()) {
                    client.setSoTimeout(20_000);
                    client.startHandshake();
                    client.getOutputStream().write("served\n".getBytes(StandardCharsets.UTF_8));
                }
            }
        }
    }
}
