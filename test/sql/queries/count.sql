-- Counts: so many rows of a group, in the order of the log. None is late.
DROP TABLE IF EXISTS in_time;
CREATE TABLE in_time AS SELECT 0 AS pane, * FROM y;
INSERT INTO x
WITH numbered AS (SELECT *, (row_number() OVER (PARTITION BY g ORDER BY seq) - 1) / {{.Rows}} AS i FROM in_time),
span AS (SELECT g, i, min(at) AS w, max(at) + 1 AS e FROM numbered GROUP BY g, i HAVING count(*) = {{.Rows}})
SELECT w, e, g, 0, seq, at, v, c, b, s, m, h FROM numbered JOIN span USING (g, i)
ORDER BY 1, 2, 3, 4, 5;
