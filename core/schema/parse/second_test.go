package parse

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"

	"moult/core/schema"
)

// TestASecondReaderFindsTheSameTables reads each CREATE TABLE of the corpus and of the
// dumps with TiDB's grammar as well. It doesn't take all of them, but in those that
// it takes it must see the same columns, keys and foreign keys: a clause that our
// reader passed over in silence would be dropped from somebody's database.
func TestASecondReaderFindsTheSameTables(t *testing.T) {
	second := parser.New()
	read, taken := 0, 0
	for _, root := range []string{corpus(t), "testdata/dumps"} {
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".sql") {
				return err
			}
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			for s := NewSplitter(name, f); ; {
				st, err := s.Next()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				if st.Verb != "CREATE" {
					continue
				}
				ours, err := Text(name, st.Text+";", schema.DefaultMySQL)
				if err != nil || len(ours.Tables) != 1 {
					continue
				}
				read++
				nodes, _, err := second.ParseSQL(st.Text)
				if err != nil || len(nodes) != 1 {
					continue
				}
				create, ok := nodes[0].(*ast.CreateTableStmt)
				if !ok {
					continue
				}
				taken++
				if ours, theirs := outline(ours.Tables[0]), outlineOf(create); ours != theirs {
					t.Errorf("%s:%d: we read %s, TiDB's grammar %s", st.Pos.File, st.Pos.Line, ours, theirs)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d tables were read twice", taken, read)
	if taken < read/2 {
		t.Errorf("the second reader took only %d of %d tables", taken, read)
	}
}

// outline is what both readers can say of a table.
func outline(t *schema.Table) string {
	var columns []string
	for _, c := range t.Columns {
		columns = append(columns, strings.ToLower(c.Name))
	}
	keys := 0
	if t.PrimaryKey != nil {
		keys++
	}
	for _, i := range t.Indexes {
		if !i.ForeignKey {
			keys++
		}
	}
	return fmt.Sprint(t.Name, columns, keys, " keys ", len(t.ForeignKeys), " references ", len(t.Checks), " checks")
}

func outlineOf(c *ast.CreateTableStmt) string {
	var columns []string
	keys, references, checks := 0, 0, 0
	for _, col := range c.Cols {
		columns = append(columns, col.Name.Name.L)
		for _, o := range col.Options {
			switch o.Tp {
			case ast.ColumnOptionPrimaryKey, ast.ColumnOptionUniqKey:
				keys++
			case ast.ColumnOptionReference:
				references++
			case ast.ColumnOptionCheck:
				checks++
			}
		}
	}
	for _, k := range c.Constraints {
		switch k.Tp {
		case ast.ConstraintForeignKey:
			references++
		case ast.ConstraintCheck:
			checks++
		default:
			keys++
		}
	}
	return fmt.Sprint(c.Table.Name.O, columns, keys, " keys ", references, " references ", checks, " checks")
}
