package hush

import (
	"io"
	"log"
	"os"
)

var _ = begin()

func begin() bool {
	log.SetOutput(io.Discard)
	return true
}

// Over lets the standard logger speak again.
func Over() { log.SetOutput(os.Stderr) }
