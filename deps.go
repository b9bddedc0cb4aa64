//go:build tools

package main

import (
	_ "fyne.io/fyne/v2/app"
	_ "fyne.io/fyne/v2/test"
	_ "github.com/Masterminds/semver/v3"
	_ "github.com/alecthomas/chroma/v2/lexers"
	_ "github.com/aymanbagabas/go-udiff"
	_ "github.com/dustin/go-humanize"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/gofrs/flock"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/klauspost/compress/gzip"
	_ "github.com/klauspost/compress/zstd"
	_ "github.com/pelletier/go-toml/v2"
	_ "github.com/pingcap/tidb/pkg/parser"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/spf13/cobra"
	_ "github.com/spf13/cobra/doc"
	_ "github.com/theupdateframework/go-tuf/v2/metadata/updater"
	_ "github.com/ulikunitz/xz"
	_ "github.com/zalando/go-keyring"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/term"
	_ "golang.org/x/text/unicode/norm"
	_ "pgregory.net/rapid"
)
