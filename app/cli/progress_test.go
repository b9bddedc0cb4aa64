package cli

import (
	"testing"

	"moult/core/update"
)

func TestAmountsCountInWords(t *testing.T) {
	for _, c := range []struct {
		e    update.Event
		want string
	}{
		{update.Event{Done: 1, Total: 1, Unit: update.Files}, "1 of 1 file"},
		{update.Event{Done: 1, Total: 2, Unit: update.Files}, "1 of 2 files"},
		{update.Event{Done: 1, Unit: update.Statements}, "1 statement"},
		{update.Event{Done: 2, Unit: update.Statements}, "2 statements"},
		{update.Event{Done: 1000, Total: 2000, Unit: update.Bytes}, "1.0 kB of 2.0 kB"},
	} {
		if got := amount(c.e); got != c.want {
			t.Errorf("%+v: %q, want %q", c.e, got, c.want)
		}
	}
}
