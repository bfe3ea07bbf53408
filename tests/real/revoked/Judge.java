import java.io.FileInputStream;
import java.security.cert.*;
import java.util.*;

/** Judge ROOT CRLS CHAIN...: validates each chain with lists of revoked certificates; a line for each. */
public class Judge {
    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        TrustAnchor root;
        try (FileInputStream in = new FileInputStream(arguments[0])) {
            root = new TrustAnchor((X509Certificate) factory.generateCertificate(in), null);
        }
        Collection<? extends CRL> lists;
        try (FileInputStream in = new FileInputStream(arguments[1])) {
            lists = factory.generateCRLs(in);
        }
        for (int i = 2; i < arguments.length; i++) {
            System.out.println(judged(factory, root, lists, arguments[i]));
        }
    }

    static String judged(CertificateFactory factory, TrustAnchor root, Collection<? extends CRL> lists, String chain)
            throws Exception {
        List<Certificate> certificates = new ArrayList<>();
        try (FileInputStream in = new FileInputStream(chain)) {
            certificates.addAll(factory.generateCertificates(in));
        }
        PKIXParameters parameters = new PKIXParameters(Set.of(root));
        parameters.setRevocationEnabled(true);
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists)));
        try {
            CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(certificates), parameters);
            return "good";
        } catch (CertPathValidatorException refused) {
            return String.valueOf(refused.getReason());
        }
    }
}
