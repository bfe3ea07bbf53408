import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** Judge CASES: real handshakes between two sides of this JVM, by PKIX. For every release since 8. CASES: see issued.rs. */
public final class Judge {
    private static final char[] NONE = new char[0];

    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Paths.get(arguments[0]))) {
            String[] field = line.split("\t", -1);
            String said;
            try {
                said = shakeHands(field);
            } catch (GeneralSecurityException problem) {
                said = problem.toString();
            }
            String verdict = said == null ? "ok\t" : "no\t" + said.replace('\n', ' ');
            System.out.println(field[0] + "\t" + verdict);
        }
        System.exit(0);
    }

    /** What the side says that verifies; null if it is content. */
    private static String shakeHands(String[] field) throws Exception {
        boolean ofServer = field[1].equals("server");
        KeyStore own = identity(field[3], field[4]);
        KeyStore peer = identity(field[6], field[7]);
        SSLContext server = context(ofServer ? own : peer, field[5]);
        SSLContext client = context(ofServer ? null : own, field[5]);
        String name = ofServer ? field[2] : field[8];
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String[] servers = new String[1];
            Thread thread = new Thread(() -> servers[0] = serve(server, listening, !ofServer));
            thread.start();
            String clients = null;
            try (Socket plain = new Socket(listening.getInetAddress(), listening.getLocalPort());
                    SSLSocket socket = (SSLSocket) client.getSocketFactory().createSocket(plain, name, 443, true)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                socket.setSoTimeout(20_000);
                socket.startHandshake();
                socket.getInputStream().read();
            } catch (java.io.IOException problem) {
                clients = deepest(problem);
            }
            thread.join();
            return ofServer ? clients : servers[0];
        }
    }

    private static String serve(SSLContext context, ServerSocket listening, boolean asksClients) {
        try (Socket plain = listening.accept();
                SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, (InputStream) null, true)) {
            socket.setUseClientMode(false);
            socket.setNeedClientAuth(asksClients);
            socket.setSoTimeout(20_000);
            socket.startHandshake();
            socket.getOutputStream().write('.');
            return null;
        } catch (java.io.IOException problem) {
            return deepest(problem);
        }
    }

    private static String deepest(Throwable problem) {
        String all = problem.toString();
        for (Throwable cause = problem.getCause(); cause != null; cause = cause.getCause()) {
            all += ": " + cause;
        }
        return all;
    }

    private static SSLContext context(KeyStore identity, String anchors) throws Exception {
        KeyStore trusted = empty();
        for (Certificate anchor : certificates(anchors)) {
            trusted.setCertificateEntry("anchor" + trusted.size(), anchor);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(identity == null ? empty() : identity, NONE);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore identity(String chain, String key) throws Exception {
        KeyStore store = empty();
        Certificate[] certificates = certificates(chain);
        store.setKeyEntry("it", key(key), NONE, certificates);
        return store;
    }

    private static PrivateKey key(String path) throws Exception {
        String text = new String(Files.readAllBytes(Paths.get(path)), StandardCharsets.US_ASCII);
        byte[] der = Base64.getMimeDecoder().decode(text.replaceAll("-----[A-Z ]+-----", ""));
        GeneralSecurityException last = null;
        for (String algorithm : new String[] {"EC", "RSA", "EdDSA"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (GeneralSecurityException problem) {
                last = problem;
            }
        }
        throw last;
    }

    private static Certificate[] certificates(String path) throws Exception {
        InputStream bytes = new ByteArrayInputStream(Files.readAllBytes(Paths.get(path)));
        return CertificateFactory.getInstance("X.509").generateCertificates(bytes).toArray(new Certificate[0]);
    }

    private static KeyStore empty() throws Exception {
        // Unlike PKCS12 it derives no key from the password, which for so many stores takes most of the time.
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, NONE);
        return store;
    }
}
