"""Uploads are announced once for a key."""

from django.test import Client

from core.models import IdempotencyRecord, UploadSession
from tests.support import TenantCase

GOOD = {"filename": "test.pdf", "total_size": 1_048_577, "mime_type": "application/pdf", "file_hash": "abc123"}


class UploadTest(TenantCase):
    def start(self, body=GOOD, key="k1"):
        return Client().post(
            "/api/v1/uploads/init", body, content_type="application/json", headers={"Idempotency-Key": key}
        )

    def test_once_for_a_key(self):
        first, again = self.start(), self.start()
        self.assertEqual((first.status_code, again.status_code), (201, 200))
        self.assertEqual(first.json()["upload_id"], again.json()["upload_id"])
        self.assertEqual(
            (first.json()["chunks"], first.json()["duplicate"], again.json()["duplicate"]), (2, False, True)
        )
        self.assertEqual(UploadSession.objects.count(), 1)

    def test_a_key_is_for_one_upload(self):
        self.start()
        self.assertEqual(self.start({**GOOD, "filename": "other.pdf"}).status_code, 409)

    def test_what_is_wrong_is_told(self):
        for name, value in (
            ("filename", ""),
            ("filename", "a\0"),
            ("total_size", 0),
            ("total_size", "1"),
            ("mime_type", 7),
        ):
            answer = self.start({**GOOD, name: value})
            with self.subTest(name=name, value=value):
                self.assertEqual(answer.status_code, 400)
                self.assertIn(name, answer.json()["error"])
        self.assertEqual(self.start(key="").status_code, 400)

    def test_giving_up_leaves_nothing(self):
        address = f"/api/v1/uploads/{self.start().json()['upload_id']}"
        self.assertEqual([Client().delete(address).status_code for _ in range(2)], [204, 404])
        self.assertEqual((UploadSession.objects.count(), IdempotencyRecord.objects.count()), (0, 0))
        self.assertEqual(self.start().status_code, 201)
