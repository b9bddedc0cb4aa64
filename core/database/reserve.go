package database

import (
	"context"
	"fmt"
	"regexp"

	"moult/core/schema"
)

// reserveTable takes up room beside the site's tables from the first statement of an
// update until it is discarded. An undo that meets a full disk drops it and goes
// on: what it then needs, an index or an empty table, is small where nothing has to
// be copied.
const reserveTable = schema.HiddenPrefix + "reserve"

// Of these rows and bytes is the reserve: 2 MiB. The smallest index or table takes
// some 0.2 MiB (measured on MariaDB 10.11).
const (
	reserveRows  = 4
	reserveBytes = 512 << 10
)

// takeReserve makes the reserve unless it is there.
func takeReserve(ctx context.Context, q querier) error {
	if _, err := q.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS `"+reserveTable+"` (`filler` mediumblob NOT NULL) ENGINE=InnoDB"); err != nil {
		return fmt.Errorf("reserve room for the way back: %w", err)
	}
	var rows int
	if err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM `"+reserveTable+"`").Scan(&rows); err != nil {
		return fmt.Errorf("look at the room for the way back: %w", err)
	}
	for ; rows < reserveRows; rows++ {
		if _, err := q.ExecContext(ctx, fmt.Sprintf("INSERT INTO `%s` VALUES (REPEAT('x', %d))", reserveTable, reserveBytes)); err != nil {
			return fmt.Errorf("reserve room for the way back: %w", err)
		}
	}
	return nil
}

// dropReserve gives the room back. Dropping is possible on a full disk.
func dropReserve(ctx context.Context, q querier) error {
	if _, err := q.ExecContext(ctx, "DROP TABLE IF EXISTS `"+reserveTable+"`"); err != nil {
		return fmt.Errorf("give the reserved room back: %w", err)
	}
	return nil
}

// fullRefusals are what a server says for want of room on its disk: the disk is
// full, the table is full, and in the words of the engine or the system below, no
// more room in the file (135) and no space left on the device (28).
var fullRefusals = []uint16{1021, 1114}

var fullWords = regexp.MustCompile(`(?i)(errno|errcode|error)\W{1,3}(28|135)\b`)

func isFull(err error) bool {
	return isCode(fullRefusals...)(err) || codeOf(err) != 0 && fullWords.MatchString(err.Error())
}
