package database

import (
	"context"
	"fmt"
	"strings"

	"moult/core/schema"
)

// marksTable remembers in the database itself how far each update is: with the
// rows of a dump travels what is known about them. A statement on definitions is
// marked before it is begun and again when it is done, so that at most one is in
// doubt; its probe decides that one. A statement on rows is marked in the
// transaction that makes the change.
const marksTable = schema.HiddenPrefix + "marks"

// mark is how far a statement is. One without a mark was never begun.
type mark string

const (
	begun mark = "begun"
	done  mark = "done"
)

const createMarks = "CREATE TABLE IF NOT EXISTS `" + marksTable + "` (" +
	"`update_id` varchar(100) CHARACTER SET ascii NOT NULL, " +
	"`statement` varchar(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, " +
	"`state` varchar(10) CHARACTER SET ascii NOT NULL, " +
	"PRIMARY KEY (`update_id`, `statement`)) ENGINE=InnoDB"

// readMarks returns the marks of an update; none if there is no table.
func readMarks(ctx context.Context, q querier, update string) (map[string]mark, error) {
	rows, err := q.QueryContext(ctx, "SELECT statement, state FROM `"+marksTable+"` WHERE update_id = "+schema.QuoteText(update))
	if codeOf(err) == codeNoSuchTable {
		return map[string]mark{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read how far the update is: %w", err)
	}
	defer rows.Close()
	marks := map[string]mark{}
	for rows.Next() {
		var statement string
		var state mark
		if err := rows.Scan(&statement, &state); err != nil {
			return nil, fmt.Errorf("read how far the update is: %w", err)
		}
		marks[statement] = state
	}
	return marks, rows.Err()
}

// setMark writes one mark. The literals are safe: our session's sql_mode reads
// backslashes as QuoteText writes them.
func setMark(ctx context.Context, q querier, update, statement string, state mark) error {
	_, err := q.ExecContext(ctx, fmt.Sprintf("REPLACE INTO `%s` (update_id, statement, state) VALUES (%s, %s, '%s')",
		marksTable, schema.QuoteText(update), schema.QuoteText(statement), state))
	if err != nil {
		return fmt.Errorf("mark %s as %s: %w", statement, state, err)
	}
	return nil
}

// unmark removes the marks of some statements, all or none.
func unmark(ctx context.Context, q querier, update string, statements []string) error {
	quoted := make([]string, len(statements))
	for i, statement := range statements {
		quoted[i] = schema.QuoteText(statement)
	}
	_, err := q.ExecContext(ctx, fmt.Sprintf("DELETE FROM `%s` WHERE update_id = %s AND statement IN (%s)",
		marksTable, schema.QuoteText(update), strings.Join(quoted, ", ")))
	if err != nil {
		return fmt.Errorf("remove the marks of %s: %w", strings.Join(statements, ", "), err)
	}
	return nil
}

// codeFull is the server's refusal for want of room on its disk.
const codeFull = 1114

// forget removes all marks of an update, and the table with the last of them. On a
// full disk the empty table stays: it does no harm, and the next update takes it.
func forget(ctx context.Context, q querier, update string) error {
	_, err := q.ExecContext(ctx, "DELETE FROM `"+marksTable+"` WHERE update_id = "+schema.QuoteText(update))
	if codeOf(err) == codeNoSuchTable {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove the marks of update %s: %w", update, err)
	}
	var left int
	if err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM `"+marksTable+"`").Scan(&left); err != nil {
		return fmt.Errorf("count the marks: %w", err)
	}
	if left > 0 {
		return nil
	}
	if _, err := q.ExecContext(ctx, "DROP TABLE IF EXISTS `"+marksTable+"`"); err != nil && codeOf(err) != codeFull {
		return fmt.Errorf("drop the empty table of marks: %w", err)
	}
	return nil
}
