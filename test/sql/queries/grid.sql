-- Windows of a grid. A row is in all that hold its time and had not ended when it came; it is late if they all had.
INSERT INTO x
WITH RECURSIVE back(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM back WHERE (k + 1) * {{.Every}} < {{.Size}}),
placed AS (SELECT at / {{.Every}} * {{.Every}} - k * {{.Every}} AS w, y.* FROM y, back)
SELECT w, w + {{.Size}}, g, at / {{.Pane}} * {{.Pane}}, seq, at, v, c, b, s, m, h FROM placed
WHERE at < w + {{.Size}} AND (wm IS NULL OR wm < w + {{.Size}}) AND w + {{.Size}} <= (SELECT at FROM done)
ORDER BY 1, 2, 3, 4, 5;

-- in_time: the rows that are not late, by pane: those before a window say what its readings begin with.
DROP TABLE IF EXISTS in_time;
CREATE TABLE in_time AS
SELECT at / {{.Pane}} * {{.Pane}} AS pane, * FROM y WHERE wm IS NULL OR wm < at / {{.Pane}} * {{.Pane}} / {{.Every}} * {{.Every}} + {{.Size}};
