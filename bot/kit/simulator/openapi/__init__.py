"""DingTalk's two HTTP APIs: the new one (`/v1.0/…`) and the old one (`/topapi/…`, `/robot/…`, `/media/…`)."""
