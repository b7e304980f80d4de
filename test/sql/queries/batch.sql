-- Batches: the rows of the blocks that a step took. Where steps end is the engine's matter, and so are the windows' bounds.
DROP TABLE IF EXISTS in_time;
CREATE TABLE in_time AS SELECT 0 AS pane, * FROM y;
DROP TABLE IF EXISTS steps;
CREATE TABLE steps (first INTEGER, last INTEGER, w INTEGER, e INTEGER);
{{range .Steps}}INSERT INTO steps VALUES ({{.First}}, {{.Last}}, {{.Start}}, {{.End}});
{{end}}INSERT INTO x
SELECT w, e, g, 0, seq, at, v, c, b, s, m, h FROM in_time JOIN steps ON block BETWEEN first AND last
ORDER BY 1, 2, 3, 4, 5;
