// judge CASES: what crypto/x509 thinks of every chain. CASES: see issued.rs.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
)

func main() {
	cases, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(strings.TrimRight(string(cases), "\n"), "\n") {
		field := strings.Split(line, "\t")
		if err := verify(field[1], field[2], field[3], field[4], field[5]); err != nil {
			fmt.Printf("%s\tno\t%s\n", field[0], strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Printf("%s\tok\t\n", field[0])
		}
	}
}

func verify(usage, name, chain, key, anchors string) error {
	pair, err := tls.LoadX509KeyPair(chain, key)
	if err != nil {
		return err
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	pem, err := os.ReadFile(anchors)
	if err != nil {
		return err
	}
	roots.AppendCertsFromPEM(pem)
	for _, der := range pair.Certificate[1:] {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		between.AddCert(certificate)
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if usage == "client" {
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	} else {
		options.DNSName = name
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return err
	}
	_, err = leaf.Verify(options)
	return err
}
