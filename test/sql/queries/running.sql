-- Running: everything of a group, as it was given last. None is late.
DROP TABLE IF EXISTS in_time;
CREATE TABLE in_time AS SELECT 0 AS pane, * FROM y;
INSERT INTO x
WITH span AS (SELECT g, min(at) AS w, max(at) + 1 AS e FROM in_time GROUP BY g)
SELECT w, e, g, 0, seq, at, v, c, b, s, m, h FROM in_time JOIN span USING (g)
ORDER BY 1, 2, 3, 4, 5;
