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
//
// The rows are there before the first statement is begun, and marks of one length
// are written into them: the way back needs no room for its marks on a full disk.
const marksTable = schema.HiddenPrefix + "marks"

// mark is how far a statement is. One with an empty mark, or none, was never begun.
type mark string

const (
	begun mark = "begun"
	done  mark = "done"
)

const createMarks = "CREATE TABLE IF NOT EXISTS `" + marksTable + "` (" +
	"`update_id` varchar(100) CHARACTER SET ascii NOT NULL, " +
	"`statement` varchar(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, " +
	"`state` char(5) CHARACTER SET ascii NOT NULL DEFAULT '', " +
	"PRIMARY KEY (`update_id`, `statement`)) ENGINE=InnoDB"

// readMarks returns the marks of an update; none if there is no table.
func readMarks(ctx context.Context, q querier, update string) (map[string]mark, error) {
	rows, err := q.QueryContext(ctx, "SELECT statement, state FROM `"+marksTable+"` WHERE state <> '' AND update_id = "+schema.QuoteText(update))
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

// reserveMarks makes the rows for all marks that a plan can need, there and back.
func reserveMarks(ctx context.Context, q querier, p *schema.Plan) error {
	var rows []string
	add := func(statement string) {
		rows = append(rows, fmt.Sprintf("(%s, %s)", schema.QuoteText(p.UpdateID), schema.QuoteText(statement)))
	}
	for i := range p.Steps {
		add(p.Steps[i].ID)
		for n := range p.Steps[i].Inverse {
			add(inverseKey(&p.Steps[i], n))
		}
	}
	_, err := q.ExecContext(ctx, "INSERT IGNORE INTO `"+marksTable+"` (update_id, statement) VALUES "+strings.Join(rows, ", "))
	if err != nil {
		return fmt.Errorf("make room for marks: %w", err)
	}
	return nil
}

// inverseKey is under what the n-th inverse of a step is marked, from 0.
func inverseKey(s *schema.Step, n int) string { return fmt.Sprintf("%s/%d", s.ID, n+1) }

// setMark writes one mark. The literals are safe: our session's sql_mode reads
// backslashes as QuoteText writes them.
func setMark(ctx context.Context, q querier, update, statement string, state mark) error {
	_, err := q.ExecContext(ctx, fmt.Sprintf("INSERT INTO `%s` (update_id, statement, state) VALUES (%s, %s, '%[4]s') ON DUPLICATE KEY UPDATE state = '%[4]s'",
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
	_, err := q.ExecContext(ctx, fmt.Sprintf("UPDATE `%s` SET state = '' WHERE update_id = %s AND statement IN (%s)",
		marksTable, schema.QuoteText(update), strings.Join(quoted, ", ")))
	if err != nil {
		return fmt.Errorf("remove the marks of %s: %w", strings.Join(statements, ", "), err)
	}
	return nil
}

// forget removes all marks of an update, and with the last of them the table and
// the reserve. On a full disk the empty table stays: it does no harm, and the next
// update takes it.
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
	if err := dropReserve(ctx, q); err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, "DROP TABLE IF EXISTS `"+marksTable+"`"); err != nil && !isFull(err) {
		return fmt.Errorf("drop the empty table of marks: %w", err)
	}
	return nil
}
