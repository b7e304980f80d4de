-- Sessions: gaps and islands. The generated rows are so that a row that comes when a session of its own would have ended belongs to no open one.
DROP TABLE IF EXISTS in_time;
CREATE TABLE in_time AS SELECT 0 AS pane, * FROM y WHERE wm IS NULL OR wm < at + {{.Gap}};
INSERT INTO x
WITH begun AS (SELECT *, coalesce(at - lag(at) OVER (PARTITION BY g ORDER BY at, seq) >= {{.Gap}}, 1) AS begins FROM in_time),
island AS (SELECT *, sum(begins) OVER (PARTITION BY g ORDER BY at, seq ROWS UNBOUNDED PRECEDING) AS i FROM begun),
span AS (SELECT g, i, min(at) AS w, max(at) + {{.Gap}} AS e FROM island GROUP BY g, i)
SELECT w, e, g, 0, seq, at, v, c, b, s, m, h FROM island JOIN span USING (g, i) WHERE e <= (SELECT at FROM done)
ORDER BY 1, 2, 3, 4, 5;
