package demo_test

import (
	"os"
	"testing"

	"moult/core/database/embedded"
)

func TestMain(m *testing.M) { os.Exit(embedded.Main(m)) }
