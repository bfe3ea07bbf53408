import java.io.IOException;
import java.net.InetSocketAddress;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/** Connect HOST PORT: a verified handshake with the JVM's default trust. Compiles for every release since 8. */
public final class Connect {
    public static void main(String[] arguments) throws IOException {
        String host = arguments[0];
        int port = Integer.parseInt(arguments[1]);
        try (SSLSocket socket = (SSLSocket) SSLSocketFactory.getDefault().createSocket()) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(20_000);
            socket.connect(new InetSocketAddress(host, port), 20_000);
            socket.startHandshake();
            System.out.println("ok");
        } catch (IOException problem) {
            System.err.println(problem);
            System.exit(1);
        }
    }
}
