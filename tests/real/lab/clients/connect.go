// connect URL: a verified request with Go's defaults.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	response, err := (&http.Client{Timeout: 20 * time.Second}).Get(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	response.Body.Close()
	fmt.Println("ok")
}
