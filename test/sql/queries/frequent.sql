-- How often values come. Of equally frequent ones the smallest is first: false, true, numbers, texts.
.output frequent.csv
WITH counts AS (SELECT w, e, g, m, count(*) AS n FROM x WHERE m IS NOT NULL GROUP BY w, e, g, m),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY w, e, g ORDER BY n DESC, CASE WHEN m IN ('false', 'true') THEN 0 WHEN m GLOB '[-0-9]*' THEN 1 ELSE 2 END,
        CASE WHEN m GLOB '[-0-9]*' THEN CAST(m AS REAL) END, m) AS i
    FROM counts),
listed AS (SELECT *, group_concat('{"value":' || m || ',"count":' || n || '}', ',') OVER (PARTITION BY w, e, g ORDER BY i ROWS UNBOUNDED PRECEDING) AS so_far FROM ranked WHERE i <= 3)
SELECT w, e, g, max(CASE WHEN i = 1 THEN m END) AS mode, '[' || max(so_far) || ']' AS top_k FROM listed GROUP BY w, e, g;

.output many.csv
WITH counts AS (SELECT w, e, g, h, count(*) AS n FROM x WHERE h IS NOT NULL GROUP BY w, e, g, h),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY w, e, g ORDER BY n DESC, h) AS i, count(*) OVER whole AS different, sum(n) OVER whole AS rows
    FROM counts WINDOW whole AS (PARTITION BY w, e, g)),
listed AS (
    SELECT *, group_concat('{"value":' || h || ',"count":' || n || '}', ',') OVER (PARTITION BY w, e, g ORDER BY i ROWS UNBOUNDED PRECEDING) AS so_far
    FROM ranked WHERE i <= 5)
SELECT w, e, g, max(CASE WHEN i = 1 THEN h END) AS mode_many, '[' || max(so_far) || ']' AS top_k_many,
    max(CASE WHEN i = 1 THEN n END) - coalesce(max(CASE WHEN i = 2 THEN n END), 0) AS lead, different, rows
FROM listed GROUP BY w, e, g;
