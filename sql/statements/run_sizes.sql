-- The objects that run ?1 copied, by size. A class is named by its smallest size: nothing,
-- less than 1 KiB, and from there on each four times the one before.
SELECT CASE WHEN source_size_bytes = 0 THEN 0
            WHEN source_size_bytes < 1024 THEN 1
            WHEN source_size_bytes < 4096 THEN 1024
            WHEN source_size_bytes < 16384 THEN 4096
            WHEN source_size_bytes < 65536 THEN 16384
            WHEN source_size_bytes < 262144 THEN 65536
            WHEN source_size_bytes < 1048576 THEN 262144
            WHEN source_size_bytes < 4194304 THEN 1048576
            WHEN source_size_bytes < 16777216 THEN 4194304
            WHEN source_size_bytes < 67108864 THEN 16777216
            WHEN source_size_bytes < 268435456 THEN 67108864
            WHEN source_size_bytes < 1073741824 THEN 268435456
            WHEN source_size_bytes < 4294967296 THEN 1073741824
            WHEN source_size_bytes < 17179869184 THEN 4294967296
            WHEN source_size_bytes < 68719476736 THEN 17179869184
            WHEN source_size_bytes < 274877906944 THEN 68719476736
            WHEN source_size_bytes < 1099511627776 THEN 274877906944
            ELSE 1099511627776 END AS least_bytes,
       count(*), sum(source_size_bytes)
FROM attempt
WHERE run = ?1 AND outcome = 'synced' AND source_size_bytes IS NOT NULL
GROUP BY least_bytes ORDER BY least_bytes
