-- The words of a CHECK are compared one after the other. For IN, SQLite makes a
-- table of them whenever a row is written, which took half as long as the row.
-- The words stay the same, so no row has to be looked at: this is the way that
-- https://www.sqlite.org/lang_altertable.html tells for such changes. The views,
-- which are made anew behind every migration, let other connections read the
-- schema again.
PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = replace(sql,
    'state = ''pending'' OR state IN (''pending'', ''synced'', ''failed'', ''ignored'')',
    'state = ''pending'' OR state = ''synced'' OR state = ''failed'' OR state = ''ignored''')
WHERE type = 'table' AND name = 'request';

UPDATE sqlite_schema SET sql = replace(sql,
    'reason IS NOT NULL AND reason IN (
            ''source_missing'', ''source_denied'', ''source_archived'', ''source_changed'',
            ''destination_denied'', ''destination_full'', ''throttled'', ''server_error'', ''network'',
            ''timeout'', ''integrity'', ''metadata_refused'', ''too_large'', ''bad_request'', ''internal'',
            ''credentials_refused'', ''account_blocked'', ''bucket_missing'', ''endpoint_unreachable'',
            ''permission_missing'', ''clock_skew'')',
    'reason IS NOT NULL AND (
            reason = ''source_missing'' OR reason = ''source_denied'' OR reason = ''source_archived''
            OR reason = ''source_changed'' OR reason = ''destination_denied''
            OR reason = ''destination_full'' OR reason = ''throttled'' OR reason = ''server_error''
            OR reason = ''network'' OR reason = ''timeout'' OR reason = ''integrity''
            OR reason = ''metadata_refused'' OR reason = ''too_large'' OR reason = ''bad_request''
            OR reason = ''internal'' OR reason = ''credentials_refused'' OR reason = ''account_blocked''
            OR reason = ''bucket_missing'' OR reason = ''endpoint_unreachable''
            OR reason = ''permission_missing'' OR reason = ''clock_skew'')')
WHERE type = 'table' AND name = 'request';

UPDATE sqlite_schema SET sql = replace(sql,
    'reason IS NOT NULL AND reason IN (
            ''newer_at_destination'', ''already_copied'', ''same_checksum'', ''exists'', ''duplicate'',
            ''excluded'', ''withdrawn'')',
    'reason IS NOT NULL AND (
            reason = ''newer_at_destination'' OR reason = ''already_copied''
            OR reason = ''same_checksum'' OR reason = ''exists'' OR reason = ''duplicate''
            OR reason = ''excluded'' OR reason = ''withdrawn'')')
WHERE type = 'table' AND name = 'request';

UPDATE sqlite_schema SET sql = replace(sql,
    'outcome IN (''synced'', ''failed'', ''ignored'')',
    'outcome = ''synced'' OR outcome = ''failed'' OR outcome = ''ignored''')
WHERE type = 'table' AND name = 'attempt';

UPDATE sqlite_schema SET sql = replace(sql,
    'verified IN (
        ''etag_md5'', ''content_md5'', ''crc32c'', ''crc64nvme'', ''sha256'', ''size_only'')',
    'verified = ''etag_md5'' OR verified = ''content_md5'' OR verified = ''crc32c''
            OR verified = ''crc64nvme'' OR verified = ''sha256'' OR verified = ''size_only''')
WHERE type = 'table' AND name = 'attempt';

PRAGMA writable_schema = RESET;
