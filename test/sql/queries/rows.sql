-- y: the rows that the stream takes, at their time; wm is the watermark before their block, null if there is none.
DROP TABLE IF EXISTS y;
{{if .Event}}
DROP TABLE IF EXISTS marks;
CREATE TABLE marks (block INTEGER PRIMARY KEY, wm INTEGER);
INSERT INTO marks
SELECT block, max(high) OVER (ORDER BY block ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) - {{.Lateness}} FROM (SELECT block, max(event) AS high FROM r WHERE {{.Where}} GROUP BY block);
CREATE TABLE y AS SELECT seq, block, event AS at, wm, g, v, c, b, s, m, h FROM r CROSS JOIN marks USING (block) WHERE {{.Where}} ORDER BY seq;
{{else}}
CREATE TABLE y AS SELECT seq, block, arrival AS at, NULL AS wm, g, v, c, b, s, m, h FROM r WHERE {{.Where}} ORDER BY seq;
{{end}}
-- done: the watermark at the end. Windows that end later are open.
DROP TABLE IF EXISTS done;
CREATE TABLE done AS SELECT {{if .Event}}max(at) - {{.Lateness}}{{else}}{{.Done}}{{end}} AS at FROM y;

-- x: each row in each of its windows. Rows count in the order of their panes, and within them in that of the log.
DROP TABLE IF EXISTS x;
CREATE TABLE x (w INTEGER, e INTEGER, g TEXT, pane INTEGER, seq INTEGER, at INTEGER, v, c, b, s, m, h, PRIMARY KEY (w, e, g, pane, seq)) WITHOUT ROWID;
