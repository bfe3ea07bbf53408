"""lint.py CHAIN...: pkilint's RFC 5280 linter on every certificate, and its linter of pairs on each and its issuer.

A chain is a file of certificates, each followed by its issuer, the root last. Prints `CHAIN<tab>POSITION<tab>SEVERITY<tab>CODE<tab>WHAT`.
"""

import sys

from pkilint import loader
from pkilint.bin import lint_pkix_signer_signee_cert_chain as pairs
from pkilint.pkix import certificate, extension, name


def main():
    alone = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    seen = set()
    for path in sys.argv[1:]:
        blocks = [block + END for block in open(path, encoding="ascii").read().split(END)[:-1]]
        for at, block in enumerate(blocks):
            issuer = (blocks + [None])[at + 1]
            if (block, issuer) in seen:
                continue
            seen.add((block, issuer))
            results = list(alone.validate(load(block, None, {}).root))
            if issuer:
                results += of_pair(issuer, block)
            for result in results:
                for finding in result.finding_descriptions:
                    severity = finding.finding.severity.name
                    where = f"{result.node.path} {finding.message or ''}".replace("\n", " ")
                    print(path, at, severity, finding.finding.code, where, sep="\t")
    print("certificates", len(seen), "", "", "", sep="\t")


END = "-----END CERTIFICATE-----\n"


def load(pem, role, documents):
    document = loader.RFC5280CertificateDocumentLoader().load_pem_document(pem, role or "it", "", documents)
    if role:
        documents[role] = document
    return document


def of_pair(issuer, subject):
    documents = {}
    issuer, subject = load(issuer, "issuer", documents), load(subject, "subject", documents)
    decode = pairs.create_decoder_validation_container()
    results = list(decode.validate(issuer.root)) + list(decode.validate(subject.root))
    results += pairs.create_issuer_validation_container().validate(issuer.root)
    results += pairs.create_subject_validation_container().validate(subject.root)
    return results


main()
